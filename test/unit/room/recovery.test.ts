import { ManualClock, settle } from 'ghostchat/testing'
import { beforeEach, describe, expect, it } from 'vitest'
import { Recovery } from '../../../src/room/recovery.ts'
import { SyncRefusal } from '../../../src/room/sync-session.ts'
import { NOW } from '../../support/authors.ts'
import { settles } from '../../support/world.ts'

let clock: ManualClock
let candidates: string[]
let asked: string[]
let fraction: number
let recovery: Recovery

beforeEach(() => {
  clock = new ManualClock(NOW)
  candidates = []
  asked = []
  fraction = 0
  recovery = new Recovery({
    clock,
    random: { bytes: (length) => new Uint8Array(length), fraction: () => fraction },
    logger: { debug() {}, warn() {} },
    candidates: () => candidates,
  })
})

const answer = 'answered'
const ask = async (peer: string): Promise<string> => {
  asked.push(peer)
  return answer
}
const fail = async (peer: string): Promise<string> => {
  asked.push(peer)
  throw new Error('no')
}
const never = new AbortController().signal

describe('a recovery', () => {
  it('asks one first, then two more at once', async () => {
    candidates = ['a', 'b', 'c', 'd', 'e']
    const rounds: string[][] = []
    const run = recovery.run(
      async (peer) => {
        const before = asked.length
        asked.push(peer)
        await settle()
        rounds.push(asked.slice(before))
        return answer
      },
      { signal: never },
    )
    expect(await run).toEqual([answer, answer, answer])
    expect(asked).toHaveLength(3)
    expect(rounds[0]).toHaveLength(1)
    expect(rounds[1]).toHaveLength(2)
  })

  it('asks those of whom the first answer told', async () => {
    candidates = ['a']
    const run = recovery.run(
      async (peer) => {
        candidates = ['a', 'b', 'c', 'd']
        return ask(peer)
      },
      { signal: never },
    )
    expect(await run).toHaveLength(3)
    expect(new Set(asked).size).toBe(3)
  })

  it('replaces who fails, up to six in all', async () => {
    candidates = Array.from('abcdefghij')
    expect(await recovery.run(fail, { signal: never })).toEqual([])
    expect(asked).toHaveLength(6)
    asked = []
    const run = recovery.run((peer) => (asked.length === 0 ? fail(peer) : ask(peer)), { signal: never })
    expect(await run).toHaveLength(3)
    expect(asked).toHaveLength(4)
  })

  it('asks a second time, and no third time, where the connection broke and there is nobody else', async () => {
    candidates = ['a']
    const run = recovery.run((peer) => (asked.length === 0 ? fail(peer) : ask(peer)), { signal: never })
    expect(await run).toEqual([answer])
    expect(asked).toEqual(['a', 'a'])
    asked = []
    expect(await recovery.run(fail, { signal: never })).toEqual([])
    expect(asked).toEqual(['a', 'a'])
  })

  it('asks nobody a second time who does not answer as it should', async () => {
    candidates = ['a']
    const refuse = async (peer: string): Promise<string> => {
      asked.push(peer)
      throw new SyncRefusal('busy')
    }
    expect(await recovery.run(refuse, { signal: never })).toEqual([])
    expect(asked).toEqual(['a'])
  })

  it('asks as many as it is told to', async () => {
    candidates = ['a', 'b', 'c']
    expect(await recovery.run(ask, { signal: never, peers: 1 })).toEqual([answer])
    expect(asked).toHaveLength(1)
  })

  it('asks nobody twice', async () => {
    candidates = ['a', 'b']
    expect(await recovery.run(ask, { signal: never })).toHaveLength(2)
    expect(asked).toEqual(['a', 'b'])
  })

  it('waits 2 s for somebody to ask', async () => {
    const run = recovery.run(ask, { signal: never })
    await clock.advance(1_999)
    expect(await settles(run)).toBe(false)
    await clock.advance(1)
    expect(await run).toEqual([])
  })

  it('asks at once when somebody comes', async () => {
    const run = recovery.run(ask, { signal: never })
    await clock.advance(500)
    recovery.notify() // somebody who cannot be asked
    candidates = ['a']
    recovery.notify()
    expect(await run).toEqual([answer])
    expect(clock.pending).toBe(0)
  })

  it('ends with its signal, waiting or asking', async () => {
    const controller = new AbortController()
    const run = recovery.run(ask, { signal: controller.signal })
    controller.abort(new Error('given up'))
    await expect(run).rejects.toThrow('given up')
    expect(clock.pending).toBe(0)
    candidates = ['a']
    await expect(recovery.run(ask, { signal: controller.signal })).rejects.toThrow('given up')
    expect(asked).toEqual([])
  })

  it('asks those that are to be first before all others, where they are members', async () => {
    for (const first of ['a', 'b', 'c']) {
      candidates = ['a', 'b', 'c']
      asked = []
      await recovery.run(ask, { signal: never, peers: 2, first: ['gone', first] })
      expect(asked[0]).toBe(first)
    }
    asked = []
    await recovery.run(ask, { signal: never, peers: 1, first: ['gone'] })
    expect(candidates).toContain(asked[0])
  })

  it('asks others, too, where as many are to be first as are tried: they may be made up', async () => {
    const first = ['a', 'b', 'c', 'd', 'e', 'f']
    candidates = [...first, 'g', 'h', 'i']
    fraction = 0.99
    await recovery.run(fail, { signal: never, peers: 1, first })
    expect(first).toContain(asked[0])
    expect(asked.filter((peer) => !first.includes(peer))).toEqual(['i', 'h', 'g'])
  })

  it('asks any of several that are to be first, so that not all who miss the same ask the same one', async () => {
    const begun = new Set<string | undefined>()
    for (fraction of [0, 0.4, 0.8]) {
      candidates = ['a', 'b', 'c', 'd']
      asked = []
      await recovery.run(ask, { signal: never, peers: 1, first: ['b', 'c', 'd'] })
      begun.add(asked[0])
    }
    expect(begun).toEqual(new Set(['b', 'c', 'd']))
  })

  it('waits for nobody where its signal fired before', async () => {
    const run = recovery.run(ask, { signal: AbortSignal.abort(new Error('given up')) })
    await expect(run).rejects.toThrow('given up')
    expect(clock.pending).toBe(0)
  })
})
