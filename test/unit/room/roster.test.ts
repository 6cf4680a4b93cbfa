import { describe, expect, it } from 'vitest'
import { Roster } from '../../../src/room/roster.ts'
import { toSeconds } from '../../../src/wire/claims.ts'
import type { SignedEvent } from '../../../src/wire/event.ts'
import type { JsonObject } from '../../../src/wire/json.ts'
import { eventBy, NOW, testAuthor, testPeerId } from '../../support/authors.ts'

type PresenceEvent = SignedEvent<'presence'>

const ada = testAuthor(1)
const bob = testAuthor(2)

const join = (author: typeof ada, peer: number, at = 0, data: JsonObject = {}) =>
  eventBy(author, 'join', { peer: testPeerId(peer), data }, { at: NOW + at })
const renew = (author: typeof ada, peer: number, at = 0, data: JsonObject = {}) =>
  eventBy(author, 'presence', { peer: testPeerId(peer), data }, { at: NOW + at })
const leave = (author: typeof ada, peer: number, at = 0) =>
  eventBy(author, 'leave', { peer: testPeerId(peer) }, { at: NOW + at })

const dids = (roster: Roster): string[] => roster.members().map(({ did }) => did)
const joined = { kind: 'joined', did: ada.did }
const left = (reason: string): object => ({ kind: 'left', did: ada.did, reason })

describe('the roster', () => {
  it('says once that somebody came, with a join or with a renewal', () => {
    const roster = new Roster()
    expect(roster.apply(join(ada, 1))).toEqual([joined])
    expect(roster.apply(renew(ada, 1, 1))).toEqual([])
    expect(roster.apply(join(ada, 1, 2))).toEqual([])
    expect(roster.apply(renew(bob, 2))).toEqual([{ kind: 'joined', did: bob.did }])
    expect(dids(roster)).toEqual([ada.did, bob.did])
    expect(roster.member(ada.did)).toEqual({ did: ada.did, presence: {}, devices: [testPeerId(1)] })
  })

  it('says that somebody left, and keeps that for newcomers', () => {
    const roster = new Roster()
    const last = leave(ada, 1, 1)
    roster.apply(join(ada, 1))
    expect(roster.apply(last)).toEqual([left('left')])
    expect(dids(roster)).toEqual([])
    expect(roster.peers()).toEqual([])
    expect(roster.events()).toEqual([last])
  })

  it('says nothing of somebody who leaves and never came', () => {
    const roster = new Roster()
    expect(roster.apply(leave(ada, 1))).toEqual([])
    expect(roster.apply(leave(ada, 1, 1))).toEqual([])
    expect(dids(roster)).toEqual([])
  })

  it('tells of other data with one event, and of the same data with none', () => {
    const roster = new Roster()
    roster.apply(join(ada, 1, 0, { name: 'Ada' }))
    expect(roster.apply(renew(ada, 1, 1, { name: 'Ada' }))).toEqual([])
    expect(roster.apply(renew(ada, 1, 2, { name: 'Countess' }))).toEqual([{ kind: 'updated', did: ada.did }])
    expect(roster.member(ada.did)?.presence).toEqual({ name: 'Countess' })
  })
})

describe('an old or copied event', () => {
  it('does not bring back who left', () => {
    const roster = new Roster()
    const first = join(ada, 1)
    roster.apply(first)
    roster.apply(leave(ada, 1, 5))
    expect(roster.apply(first)).toEqual([])
    expect(roster.apply(renew(ada, 1, 4))).toEqual([])
    expect(dids(roster)).toEqual([])
    expect(roster.apply(join(ada, 1, 6))).toEqual([joined])
  })

  it('does not throw out who came back', () => {
    const roster = new Roster()
    const old = leave(ada, 1, 1)
    roster.apply(join(ada, 1))
    roster.apply(old)
    roster.apply(join(ada, 1, 2))
    expect(roster.apply(old)).toEqual([])
    expect(dids(roster)).toEqual([ada.did])
  })

  it('does not bring old data back', () => {
    const roster = new Roster()
    roster.apply(renew(ada, 1, 2, { name: 'new' }))
    expect(roster.apply(renew(ada, 1, 1, { name: 'old' }))).toEqual([])
    expect(roster.member(ada.did)?.presence).toEqual({ name: 'new' })
  })

  it('of the same time leaves everybody with the same roster', () => {
    const events = [renew(ada, 1, 1, { name: 'a' }), renew(ada, 1, 1, { name: 'b' })]
    const rosters = [events, [...events].reverse()].map((order) => {
      const roster = new Roster()
      for (const event of order) roster.apply(event)
      return roster.members()
    })
    expect(rosters[0]).toEqual(rosters[1])
  })
})

describe('a member with several devices', () => {
  it('is one member, online until the last device goes', () => {
    const roster = new Roster()
    expect(roster.apply(join(ada, 1))).toEqual([joined])
    expect(roster.apply(join(ada, 2, 1))).toEqual([])
    expect(roster.member(ada.did)?.devices).toEqual([testPeerId(1), testPeerId(2)])
    expect(roster.apply(leave(ada, 1, 2))).toEqual([])
    expect(roster.member(ada.did)?.devices).toEqual([testPeerId(2)])
    expect(roster.apply(leave(ada, 2, 3))).toEqual([left('left')])
  })

  it('shows what the device shows on which it changed last', () => {
    const roster = new Roster()
    roster.apply(join(ada, 1, 0, { on: 'phone' }))
    expect(roster.apply(join(ada, 2, 1, { on: 'desk' }))).toEqual([{ kind: 'updated', did: ada.did }])
    expect(roster.apply(leave(ada, 2, 2))).toEqual([{ kind: 'updated', did: ada.did }])
    expect(roster.member(ada.did)?.presence).toEqual({ on: 'phone' })
  })

  it('does not flip with the renewals of its devices', () => {
    const roster = new Roster()
    const shown = (peer: number, at: number, since: number, on: string): PresenceEvent =>
      eventBy(
        ada,
        'presence',
        { peer: testPeerId(peer), since: toSeconds(NOW + since), data: { on } },
        { at: NOW + at },
      )
    roster.apply(shown(1, 0, 0, 'phone'))
    roster.apply(shown(2, 10, 10, 'desk'))
    expect(roster.apply(shown(1, 30_000, 0, 'phone'))).toEqual([])
    expect(roster.apply(shown(2, 30_010, 10, 'desk'))).toEqual([])
    expect(roster.member(ada.did)?.presence).toEqual({ on: 'desk' })
    expect(roster.apply(shown(1, 40_000, 40_000, 'train'))).toEqual([{ kind: 'updated', did: ada.did }])
  })

  it('a device leaves by its own event only', () => {
    const roster = new Roster()
    roster.apply(join(ada, 1))
    roster.apply(join(bob, 1))
    expect(roster.apply(leave(bob, 1, 1))).toEqual([{ kind: 'left', did: bob.did, reason: 'left' }])
    expect(dids(roster)).toEqual([ada.did])
    expect(roster.apply(leave(ada, 2, 1))).toEqual([])
    expect(dids(roster)).toEqual([ada.did])
  })
})

describe('a lease', () => {
  it('ends 90 s after the last event', () => {
    const roster = new Roster()
    roster.apply(join(ada, 1))
    roster.apply(renew(ada, 1, 30_000))
    expect(roster.nextDeadline()).toBe(NOW + 120_000)
    expect(roster.expire(NOW + 119_999)).toEqual([])
    expect(roster.expire(NOW + 120_000)).toEqual([left('timeout')])
    expect(roster.nextDeadline()).toBeUndefined()
    expect(roster.members()).toEqual([])
  })

  it('of one device ends without the member', () => {
    const roster = new Roster()
    roster.apply(join(ada, 1))
    roster.apply(join(ada, 2, 10))
    expect(roster.expire(NOW + 90_000)).toEqual([])
    expect(roster.expire(NOW + 90_010)).toEqual([left('timeout')])
  })

  it('of two devices at once is one leaving', () => {
    const roster = new Roster()
    roster.apply(join(ada, 1))
    roster.apply(join(ada, 2))
    expect(roster.expire(NOW + 90_000)).toEqual([left('timeout')])
  })

  it('of somebody who left ends quietly', () => {
    const roster = new Roster()
    roster.apply(join(ada, 1))
    roster.apply(leave(ada, 1, 1))
    expect(roster.expire(NOW + 200_000)).toEqual([])
    expect(roster.events()).toEqual([])
  })
})

describe('a lost connection', () => {
  it('that comes back within 10 s leaves no trace', () => {
    const roster = new Roster()
    roster.apply(join(ada, 1))
    roster.lose(testPeerId(1), NOW + 1_000)
    expect(roster.nextDeadline()).toBe(NOW + 11_000)
    expect(roster.expire(NOW + 10_999)).toEqual([])
    expect(roster.apply(renew(ada, 1, 10_999))).toEqual([])
    expect(roster.expire(NOW + 11_000)).toEqual([])
    expect(roster.nextDeadline()).toBe(NOW + 100_999)
  })

  it('that does not is a member lost', () => {
    const roster = new Roster()
    roster.apply(join(ada, 1))
    roster.lose(testPeerId(1), NOW + 1_000)
    expect(roster.expire(NOW + 11_000)).toEqual([left('lost')])
    expect(roster.events()).toEqual([])
    expect(roster.apply(renew(ada, 1, 12_000))).toEqual([joined])
  })

  it('is a timeout where the lease ends first', () => {
    const roster = new Roster()
    roster.apply(join(ada, 1))
    roster.lose(testPeerId(1), NOW + 85_000)
    expect(roster.expire(NOW + 90_000)).toEqual([left('timeout')])
  })

  it('a copy of an old event does not undo it', () => {
    const roster = new Roster()
    const first = join(ada, 1)
    roster.apply(first)
    roster.lose(testPeerId(1), NOW + 1_000)
    expect(roster.apply(first)).toEqual([])
    expect(roster.expire(NOW + 11_000)).toEqual([left('lost')])
    expect(roster.apply(first)).toEqual([])
  })

  it('of one of two devices changes nothing about the member', () => {
    const roster = new Roster()
    roster.apply(join(ada, 1))
    roster.apply(join(ada, 2, 1))
    roster.lose(testPeerId(1), NOW + 1_000)
    expect(roster.expire(NOW + 11_000)).toEqual([])
    expect(roster.member(ada.did)?.devices).toEqual([testPeerId(2)])
  })

  it('of somebody unknown, or gone, does nothing', () => {
    const roster = new Roster()
    roster.apply(join(ada, 1))
    roster.apply(leave(ada, 1, 1))
    roster.lose(testPeerId(1), NOW + 2)
    roster.lose(testPeerId(9), NOW + 2)
    expect(roster.nextDeadline()).toBe(NOW + 90_001)
  })
})

describe('a full roster', () => {
  it('drops the device heard of longest ago', () => {
    const roster = new Roster(2)
    roster.apply(join(ada, 1))
    roster.apply(join(bob, 2, 1))
    const carol = testAuthor(3)
    expect(roster.apply(join(carol, 3, 2))).toEqual([{ kind: 'joined', did: carol.did }, left('timeout')])
    expect(dids(roster)).toEqual([bob.did, carol.did])
  })

  it('drops nobody for what somebody says was before', () => {
    const roster = new Roster(2)
    roster.apply(join(ada, 1))
    roster.apply(join(bob, 2))
    expect(roster.apply(join(testAuthor(3), 3, 1), false)).toEqual([])
    expect(dids(roster)).toEqual([ada.did, bob.did])
    // Of who is there it may tell more.
    roster.apply(join(ada, 1, 5, { name: 'Ada' }), false)
    expect(roster.member(ada.did)?.presence).toEqual({ name: 'Ada' })
  })

  it('holds 16 devices of one member, those heard of last', () => {
    const roster = new Roster()
    roster.apply(join(bob, 99))
    for (let peer = 1; peer <= 40; peer += 1) roster.apply(join(ada, peer, peer))
    expect(dids(roster)).toEqual([bob.did, ada.did])
    expect(roster.member(ada.did)?.devices).toEqual(
      Array.from({ length: 16 }, (_, index) => testPeerId(index + 25)),
    )
  })

  it('never holds more devices than its bound', () => {
    const roster = new Roster(10)
    for (let number = 0; number < 50; number += 1) {
      roster.apply(join(testAuthor(number % 7), number, number))
      expect(roster.peers().length).toBeLessThanOrEqual(10)
    }
    expect(new Set(roster.peers())).toEqual(
      new Set(Array.from({ length: 10 }, (_, index) => testPeerId(40 + index))),
    )
  })
})
