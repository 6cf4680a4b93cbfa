import { EdDSASigner } from 'did-jwt'
import { ManualClock } from 'ghostchat/testing'
import { beforeEach, describe, expect, it } from 'vitest'
import { createAuthor } from '../../../src/identity/author.ts'
import { systemRandom } from '../../../src/random.ts'
import { Presence } from '../../../src/room/presence.ts'
import type { SignedEvent } from '../../../src/wire/event.ts'
import { eventId } from '../../../src/wire/event-id.ts'
import type { JsonObject } from '../../../src/wire/json.ts'
import { NOW, TOPIC, testAuthor, testPeerId } from '../../support/authors.ts'
import { codeOf } from '../../support/world.ts'

const ada = testAuthor(1)
const peerId = testPeerId(1)
let clock: ManualClock
let sent: SignedEvent[]
let wills: SignedEvent<'leave'>[]
let failures: unknown[]
let signing: (text: string | Uint8Array) => Promise<string>
let presence: Presence

beforeEach(() => {
  clock = new ManualClock(NOW)
  sent = []
  wills = []
  failures = []
  signing = EdDSASigner(ada.seed) as typeof signing
  presence = open()
})

function open(data: JsonObject = { name: 'Ada' }): Presence {
  const author = createAuthor(
    { did: ada.did, signer: (text) => signing(text) },
    { clock, random: systemRandom },
  )
  return new Presence({
    clock,
    peerId,
    data,
    write: (type, body) => author.write(TOPIC, type, body),
    publish: async (event) => void sent.push(event),
    entrust: (leave) => wills.push(leave),
    onFailure: (thrown) => failures.push(thrown),
  })
}

const types = (): string[] => sent.map(({ claims }) => claims.type)
const names = (): unknown[] => sent.map(({ claims }) => ('data' in claims ? claims.data['name'] : undefined))

describe('the own presence', () => {
  it('is announced and renewed every 30 s', async () => {
    await presence.join()
    await clock.advance(29_999)
    expect(types()).toEqual(['join'])
    await clock.advance(1)
    expect(types()).toEqual(['join', 'presence'])
    await clock.advance(60_000)
    expect(types()).toEqual(['join', 'presence', 'presence', 'presence'])
    expect(new Set(names())).toEqual(new Set(['Ada']))
  })

  it('is shown anew at once when it changes, and renewed 30 s after that', async () => {
    await presence.join()
    await clock.advance(20_000)
    await presence.update({ name: 'Countess' })
    await clock.advance(29_999)
    expect(names()).toEqual(['Ada', 'Countess'])
    await clock.advance(1)
    expect(names()).toEqual(['Ada', 'Countess', 'Countess'])
  })

  it('is a copy of what the application gave', async () => {
    const data = { name: 'Ada' }
    presence = open(data)
    data.name = 'Mallory'
    await presence.join()
    expect(names()).toEqual(['Ada'])
  })

  it.each([[null], [[]], ['Ada'], [{ name: undefined }], [{ name: 'x'.repeat(1_024) }], [new Map()]])(
    'cannot be %j',
    async (data) => {
      expect(await codeOf(() => open(data as unknown as JsonObject))).toBe('invalid-presence')
      await presence.join()
      expect(await codeOf(() => presence.update(data as unknown as JsonObject))).toBe('invalid-presence')
      await clock.advance(30_000)
      expect(names()).toEqual(['Ada', 'Ada'])
    },
  )

  it('tells that it cannot be renewed, and tries again', async () => {
    await presence.join()
    const working = signing
    signing = async () => Promise.reject(new Error('locked'))
    await clock.advance(30_000)
    expect(failures).toEqual([expect.objectContaining({ code: 'signing-failed' })])
    signing = working
    await clock.advance(30_000)
    expect(types()).toEqual(['join', 'presence'])
  })
})

describe('taking the presence back', () => {
  it('needs no signature: the leave was signed before', async () => {
    await presence.join()
    signing = async () => Promise.reject(new Error('the wallet is locked'))
    void presence.leave()
    // In this very task: a page that closes has no other.
    expect(types()).toEqual(['join', 'leave'])
    const [join, leave] = sent
    expect(leave?.timestamp).toBeGreaterThan(join?.timestamp ?? Number.POSITIVE_INFINITY)
  })

  it('is left with the nodes after each announcement, in case it is never said', async () => {
    await presence.join()
    await clock.advance(30_000)
    expect(wills).toHaveLength(2)
    await presence.leave()
    expect(sent.at(-1)).toBe(wills[1])
  })

  it('is later than the last renewal', async () => {
    await presence.join()
    await clock.advance(30_000)
    await presence.update({ name: 'Countess' })
    await presence.leave()
    const times = sent.map(({ timestamp }) => timestamp)
    expect(times).toEqual([...times].sort((a, b) => a - b))
    expect(new Set(times).size).toBe(times.length)
  })

  it('ends the renewals and a greeting', async () => {
    await presence.join()
    presence.greet(eventId('newcomer'), [peerId])
    await presence.leave()
    await clock.advance(100_000)
    expect(types()).toEqual(['join', 'leave'])
    expect(clock.pending).toBe(0)
  })

  it('says nothing of somebody who never came', async () => {
    await presence.leave()
    expect(sent).toEqual([])
  })

  it('while an announcement is being signed, lets none follow', async () => {
    await presence.join()
    const updating = presence.update({ name: 'Countess' })
    await presence.leave()
    await updating
    expect(types()).toEqual(['join', 'leave'])
  })

  it('can be undone by coming again', async () => {
    await presence.join()
    await presence.leave()
    await presence.join()
    expect(types()).toEqual(['join', 'leave', 'join'])
    expect(sent[2]?.timestamp).toBeGreaterThan(sent[1]?.timestamp ?? Number.POSITIVE_INFINITY)
    await clock.advance(30_000)
    expect(types()).toEqual(['join', 'leave', 'join', 'presence'])
  })
})

describe('a greeting', () => {
  it('is an early renewal', async () => {
    await presence.join()
    presence.greet(eventId('newcomer'), [peerId])
    await clock.advance(0)
    expect(types()).toEqual(['join', 'presence'])
  })

  it('is one for newcomers that come together, and one a second at most', async () => {
    await presence.join()
    for (let number = 0; number < 50; number += 1) {
      presence.greet(eventId(`newcomer ${number}`), [peerId])
      await clock.advance(100)
    }
    expect(types().length).toBeLessThanOrEqual(1 + 6)
    expect(types().length).toBeGreaterThan(1)
  })

  it('is by three of many, different ones for different newcomers', async () => {
    const peers = Array.from({ length: 50 }, (_, number) => testPeerId(number))
    const greeted = new Map<string, number>()
    for (let newcomer = 0; newcomer < 20; newcomer += 1) {
      let greeters = 0
      for (const peer of peers) {
        const author = createAuthor(
          { did: ada.did, signer: (text) => signing(text) },
          { clock, random: systemRandom },
        )
        const other = new Presence({
          clock,
          peerId: peer,
          data: {},
          write: (type, body) => author.write(TOPIC, type, body),
          publish: async () => {},
          entrust: () => {},
          onFailure: () => {},
        })
        const before = clock.pending
        other.greet(eventId(`newcomer ${newcomer}`), peers)
        if (clock.pending === before) continue
        greeters += 1
        greeted.set(peer, (greeted.get(peer) ?? 0) + 1)
      }
      expect(greeters).toBe(3)
    }
    expect(greeted.size).toBeGreaterThan(20)
  })

  it('is by everybody where there are three or fewer', async () => {
    await presence.join()
    presence.greet(eventId('newcomer'), [peerId, testPeerId(2), testPeerId(3)])
    await clock.advance(0)
    expect(types()).toEqual(['join', 'presence'])
  })
})
