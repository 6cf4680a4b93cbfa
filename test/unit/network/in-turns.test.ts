import { describe, expect, it } from 'vitest'
import { frameStream } from '../../../src/network/frame-stream.ts'
import { inTurns } from '../../../src/network/in-turns.ts'
import { busiestTask } from '../../support/busiest-task.ts'
import { choppedStreams } from '../../support/chopped-stream.ts'

describe('what is read in turns', () => {
  it('comes whole and in order, and never all in one task', async () => {
    async function* numbers(): AsyncGenerator<number> {
      for (let number = 0; number < 1_000; number += 1) yield number
    }
    const read: number[] = []
    const most = await busiestTask(async (count) => {
      for await (const number of inTurns(numbers())) {
        read.push(number)
        count()
      }
    })
    expect(read).toEqual(Array.from({ length: 1_000 }, (_, number) => number))
    expect(most).toBeLessThan(500)
  })

  it('ends its source when nobody reads on, and fails as it does', async () => {
    let isEnded = false
    async function* failing(): AsyncGenerator<number> {
      try {
        yield 1
        throw new Error('broken')
      } finally {
        isEnded = true
      }
    }
    for await (const _one of inTurns(failing())) break
    expect(isEnded).toBe(true)
    const all = (async () => {
      for await (const _one of inTurns(failing()));
    })()
    await expect(all).rejects.toThrow('broken')
  })

  it('are the frames of a stream', async () => {
    const [here, there] = choppedStreams({ pieces: [10_000], windowBytes: 10_000 })
    here.send(new Uint8Array(10_000))
    void here.close()
    let frames = 0
    const most = await busiestTask(async (count) => {
      for await (const _frame of frameStream(there).frames) {
        frames += 1
        count()
      }
    })
    expect(frames).toBe(10_000)
    expect(most).toBeLessThan(500)
  })
})
