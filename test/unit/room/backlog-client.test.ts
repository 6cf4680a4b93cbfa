import { describe, expect, it, vi } from 'vitest'
import { systemClock } from '../../../src/clock.ts'
import type { Channel, FrameStream } from '../../../src/network/network.ts'
import { askBacklog } from '../../../src/room/backlog-client.ts'
import { memoryStreams } from '../../../src/testing/memory-stream.ts'
import { type BacklogAnswer, decodeRequest, encodeAnswer } from '../../../src/wire/backlog.ts'
import { messageBy, testAuthor } from '../../support/authors.ts'
import { settles } from '../../support/world.ts'

const ada = testAuthor(1)
const request = { limit: 3, roster: true }
const jwts = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => messageBy(ada, `${index}`).jwt)
const events = (list: string[]): BacklogAnswer => ({ kind: 'events', jwts: list })
const done: BacklogAnswer = { kind: 'done', more: false }

type Serve = (stream: FrameStream) => Promise<void>

/** A peer that answers these frames, whatever it is asked. */
const answers =
  (...frames: (BacklogAnswer | Uint8Array<ArrayBuffer>)[]): Serve =>
  async (stream) => {
    for (const frame of frames) await stream.send(frame instanceof Uint8Array ? frame : encodeAnswer(frame))
    await stream.close()
  }

function channel(serve: Serve): { channel: Channel; aborted: () => boolean } {
  let aborted = false
  return {
    aborted: () => aborted,
    channel: {
      neighbours: () => 1,
      publish: async () => 1,
      leave: () => {},
      entrust: async () => {},
      open: async () => {
        const [here, there] = memoryStreams()
        serve(there).catch(() => {})
        const abort = (reason: Error): void => {
          aborted = true
          here.abort(reason)
        }
        return { frames: here.frames, send: here.send, close: here.close, abort }
      },
    },
  }
}

const accept = async (list: string[]): Promise<{ accepted: number; rejected: boolean }> => ({
  accepted: list.length,
  rejected: false,
})
const never = new AbortController().signal

describe('asking for a backlog', () => {
  it('sends one request and counts what is new', async () => {
    let asked: unknown
    const { channel: peer } = channel(async (stream) => {
      for await (const frame of stream.frames) {
        asked = decodeRequest(frame)
        break
      }
      await answers(events(jwts(2)), events(jwts(1)), { kind: 'done', more: true })(stream)
    })
    expect(
      await askBacklog(peer, 'peer', request, { admitAll: accept, clock: systemClock, signal: never }),
    ).toEqual({
      accepted: 3,
      more: true,
    })
    expect(asked).toEqual(request)
  })

  it('a forged event ends it, and what came before stays', async () => {
    const admitAll = vi.fn(async (list: string[]) => ({
      accepted: list.length,
      rejected: admitAll.mock.calls.length === 2,
    }))
    const { channel: peer, aborted } = channel(
      answers(events(jwts(1)), events(jwts(1)), events(jwts(1)), done),
    )
    await expect(
      askBacklog(peer, 'peer', request, { admitAll, clock: systemClock, signal: never }),
    ).rejects.toThrow('forged')
    expect(admitAll).toHaveBeenCalledTimes(2)
    expect(aborted()).toBe(true)
  })

  it('an endless answer ends it', async () => {
    let sent = 0
    const { channel: peer, aborted } = channel(async (stream) => {
      for (;;) {
        await stream.send(encodeAnswer(events(jwts(60))))
        sent += 60
        await new Promise((resolve) => setImmediate(resolve))
      }
    })
    await expect(
      askBacklog(peer, 'peer', request, { admitAll: accept, clock: systemClock, signal: never }),
    ).rejects.toThrow('does not end')
    expect(aborted()).toBe(true)
    // The limit of the request, 500 devices, and what was under way.
    expect(sent).toBeLessThan(1_000)
  })

  it.each([
    ['busy', answers({ kind: 'busy' }), 'busy'],
    ['rubbish', answers(new Uint8Array([0xff])), 'malformed'],
    ['an unknown answer', answers(new TextEncoder().encode('{"later":true}')), 'malformed'],
    ['an end without an end', answers(events(jwts(1))), 'broke off'],
    ['nothing', answers(), 'broke off'],
    ['a broken stream', async (stream: FrameStream) => stream.abort(new Error('cable')), 'cable'],
  ])('%s ends it', async (_what, serve, message) => {
    const { channel: peer, aborted } = channel(serve)
    await expect(
      askBacklog(peer, 'peer', request, { admitAll: accept, clock: systemClock, signal: never }),
    ).rejects.toThrow(message)
    expect(aborted()).toBe(true)
  })

  it('what comes after the end is not looked at', async () => {
    const admitAll = vi.fn(accept)
    const { channel: peer } = channel(answers(events(jwts(1)), done, events(jwts(1))))
    expect(await askBacklog(peer, 'peer', request, { admitAll, clock: systemClock, signal: never })).toEqual({
      accepted: 1,
      more: false,
    })
    expect(admitAll).toHaveBeenCalledTimes(1)
  })

  it('a signal ends it, before and meanwhile', async () => {
    const { channel: peer, aborted } = channel(async () => {})
    const controller = new AbortController()
    const asking = askBacklog(peer, 'peer', request, {
      admitAll: accept,
      clock: systemClock,
      signal: controller.signal,
    })
    controller.abort(new Error('given up'))
    await expect(asking).rejects.toThrow('given up')
    expect(aborted()).toBe(true)
    await expect(
      askBacklog(peer, 'peer', request, { admitAll: accept, clock: systemClock, signal: controller.signal }),
    ).rejects.toThrow()
  })

  it('a peer that cannot be reached ends it', async () => {
    const peer = {
      ...channel(async () => {}).channel,
      open: async () => Promise.reject(new Error('nobody there')),
    }
    await expect(
      askBacklog(peer, 'peer', request, { admitAll: accept, clock: systemClock, signal: never }),
    ).rejects.toThrow('nobody there')
  })

  it('leaves no rejection unhandled when the gate throws', async () => {
    const { channel: peer } = channel(answers(events(jwts(1)), done))
    const admitAll = async (): Promise<never> => Promise.reject(new Error('gate'))
    const asking = askBacklog(peer, 'peer', request, { admitAll, clock: systemClock, signal: never })
    expect(await settles(asking)).toBe(true)
    await expect(asking).rejects.toThrow('gate')
  })
})
