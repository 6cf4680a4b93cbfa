import { describe, expect, it } from 'vitest'
import { diagnoseWhenConnected } from '../../../src/cli/diagnose-command.ts'
import type { Diagnosis } from '../../../src/network/diagnosis.ts'
import { testPeerId } from '../../support/authors.ts'

/** When a node is connected, gives a reservation, and WebRTC is loaded: milliseconds from the beginning; missing: never. */
interface Times {
  connected?: number
  relay?: number
  webRtc?: number
}

/** How long the command looked, and what it then says. */
async function look({ connected, relay, webRtc }: Times): Promise<[passedMs: number, Diagnosis]> {
  let now = 0
  const clock = {
    now: () => now,
    sleep: async (ms: number) => {
      now += ms
    },
  }
  const isPast = (at: number | undefined): boolean => at !== undefined && now >= at
  const diagnosis = await diagnoseWhenConnected(async () => {
    const state = isPast(connected) ? 'connected' : 'connecting'
    return {
      ok: state === 'connected',
      peerId: testPeerId(1),
      nodes: [{ name: 'https://node.example', state, isRelay: isPast(relay) }],
      direct: {
        isWanted: true,
        isAvailable: isPast(webRtc),
        iceServers: [],
        silentServers: [],
        hasAnswer: false,
        hasRelay: false,
        connections: 0,
      },
      peers: [],
      problems: [],
    }
  }, clock)
  return [now, diagnosis]
}

describe('`ghostchat diagnose` answers', () => {
  it('at once where all is there', async () => {
    expect((await look({ connected: 0, relay: 0, webRtc: 0 }))[0]).toBe(0)
  })

  it.each([
    ['the node is connected', { connected: 1_000, relay: 0, webRtc: 0 }],
    ['it has its reservation', { connected: 0, relay: 1_000, webRtc: 0 }],
    ['WebRTC is loaded', { connected: 0, relay: 0, webRtc: 1_000 }],
  ])('when %s', async (_what, times) => {
    const [passedMs, { ok, nodes, direct }] = await look(times)
    expect({ passedMs, ok, isRelay: nodes[0]?.isRelay, isAvailable: direct.isAvailable }).toEqual({
      passedMs: 1_000,
      ok: true,
      isRelay: true,
      isAvailable: true,
    })
  })

  it('after 3 s where there is no WebRTC, and after 8 s where a node does not answer', async () => {
    expect((await look({ connected: 0, relay: 0 }))[0]).toBe(3_000)
    expect((await look({ connected: 0, webRtc: 0 }))[0]).toBe(8_000)
    expect((await look({ relay: 0, webRtc: 0 }))[0]).toBe(8_000)
  })
})
