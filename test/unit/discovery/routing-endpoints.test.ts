import { settle } from 'ghostchat/testing'
import { beforeEach, describe, expect, it } from 'vitest'
import { RoutingEndpoints } from '../../../src/discovery/routing-endpoints.ts'
import { TOPIC } from '../../support/authors.ts'
import { HandClock } from '../../support/hand-clock.ts'
import { ShiftedClock } from '../../support/shifted-clock.ts'

const [one, two] = [new URL('https://one.example'), new URL('https://two.example')]
let clock: HandClock
let shown: ShiftedClock
let asked: string[]
let stopped: string[]
let found: [topic: string, peers: string[]][]
let failures: unknown[]
let fails: boolean
let endpoints: RoutingEndpoints<string>

beforeEach(() => {
  clock = new HandClock()
  shown = new ShiftedClock(clock)
  asked = []
  stopped = []
  found = []
  failures = []
  fails = false
  endpoints = new RoutingEndpoints({
    clock: shown,
    onFound: (topic, peers) => found.push([topic, peers.map(({ peerId }) => peerId)]),
    onFailure: (thrown) => failures.push(thrown),
    create: ({ host }) => ({
      findProviders: async (topic) => {
        asked.push(`${host} ${topic}`)
        if (fails) throw new Error('no answer')
        return [{ peerId: `at ${host}`, addresses: [] }]
      },
      findPeer: async () => undefined,
      stop: () => stopped.push(host),
    }),
  })
})

describe('the endpoints of delegated routing', () => {
  it('are all asked for a room, and tell of whom they know', async () => {
    endpoints.add('ada', [one])
    endpoints.add('bob', [two])
    endpoints.ask(TOPIC)
    await settle()
    expect(found).toEqual([
      [TOPIC, ['at one.example']],
      [TOPIC, ['at two.example']],
    ])
  })

  it('are asked for a room once a minute, and for each room by itself', () => {
    endpoints.add('ada', [one])
    endpoints.ask(TOPIC)
    clock.pass(59_999)
    endpoints.ask(TOPIC)
    endpoints.ask('another')
    expect(asked).toEqual([`one.example ${TOPIC}`, 'one.example another'])
    clock.pass(1)
    endpoints.ask(TOPIC)
    expect(asked).toHaveLength(3)
  })

  it('are asked again after a minute, also where the clock was set back', () => {
    endpoints.add('ada', [one])
    endpoints.ask(TOPIC)
    shown.aheadMs = -3_600_000
    endpoints.ask(TOPIC)
    clock.pass(60_000)
    endpoints.ask(TOPIC)
    expect(asked).toHaveLength(2)
  })

  it('are asked at once for a room that was left and is entered again', () => {
    endpoints.add('ada', [one])
    endpoints.ask(TOPIC)
    endpoints.forget(TOPIC)
    endpoints.ask(TOPIC)
    expect(asked).toHaveLength(2)
  })

  it('are asked no more when whoever named them is gone', () => {
    endpoints.add('ada', [one])
    endpoints.add('bob', [two])
    endpoints.remove('ada')
    endpoints.ask(TOPIC)
    expect([stopped, asked]).toEqual([['one.example'], [`two.example ${TOPIC}`]])
  })

  it('that fail harm nobody', async () => {
    fails = true
    endpoints.add('ada', [one])
    endpoints.ask(TOPIC)
    await settle()
    expect([found, failures]).toEqual([[], [expect.any(Error)]])
  })
})
