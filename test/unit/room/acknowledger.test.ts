import { ManualClock } from 'ghostchat/testing'
import { beforeEach, describe, expect, it } from 'vitest'
import { Acknowledger } from '../../../src/room/acknowledger.ts'
import { eventBy, messageBy, NOW, testAuthor, testPeerId } from '../../support/authors.ts'

const [ada, bob, cleo] = [testAuthor(1), testAuthor(2), testAuthor(3)]
let clock: ManualClock
let acknowledged: number
let isTurn: boolean
let acknowledger: Acknowledger

beforeEach(() => {
  clock = new ManualClock(NOW)
  acknowledged = 0
  isTurn = true
  acknowledger = new Acknowledger({
    clock,
    isTurn: () => isTurn,
    acknowledge: () => {
      acknowledged += 1
    },
  })
})

const first = messageBy(ada, 'first')

describe('an acknowledgement', () => {
  it('is given a second after a message, once for all that came meanwhile', async () => {
    acknowledger.arrived(first)
    await clock.advance(999)
    acknowledger.arrived(messageBy(ada, 'second', { parents: [first.id] }))
    expect(acknowledged).toBe(0)
    await clock.advance(1)
    expect(acknowledged).toBe(1)
    await clock.advance(10_000)
    expect(acknowledged).toBe(1)
  })

  it('is given every three seconds at most', async () => {
    acknowledger.arrived(first)
    await clock.advance(1_000)
    acknowledger.arrived(messageBy(ada, 'second'))
    await clock.advance(2_999)
    expect(acknowledged).toBe(1)
    await clock.advance(1)
    expect(acknowledged).toBe(2)
  })

  it('is not given by whose turn it is not', async () => {
    isTurn = false
    acknowledger.arrived(first)
    await clock.advance(10_000)
    expect(acknowledged).toBe(0)
  })

  it.each([
    ['a message', messageBy(bob, 'an answer', { parents: [first.id] })],
    ['a presence', eventBy(bob, 'presence', { peer: testPeerId(2), data: {} }, { parents: [first.id] })],
  ])('is not needed after %s of somebody who has the message', async (_what, event) => {
    acknowledger.arrived(first)
    isTurn = false
    acknowledger.arrived(event)
    await clock.advance(10_000)
    expect(acknowledged).toBe(0)
  })

  it('is needed after events of somebody who does not have it', async () => {
    acknowledger.arrived(first)
    isTurn = false
    acknowledger.arrived(messageBy(bob, 'written at the same time'))
    await clock.advance(1_000)
    expect(acknowledged).toBe(1)
  })

  it.each(['of the same author', 'of another one'])(
    'is given for a second message, %s, also where an answer names only the first',
    async (whose) => {
      acknowledger.arrived(first)
      const isOther = whose === 'of another one'
      const parents = isOther ? [] : [first.id]
      acknowledger.arrived(messageBy(isOther ? cleo : ada, 'second', { parents }))
      isTurn = false
      acknowledger.arrived(messageBy(bob, 'to the first', { parents: [first.id] }))
      await clock.advance(10_000)
      expect(acknowledged).toBe(1)
    },
  )

  it('is not needed for a message that another one of its author builds on, which was answered', async () => {
    acknowledger.arrived(first)
    const second = messageBy(ada, 'second', { parents: [first.id] })
    acknowledger.arrived(second)
    acknowledger.arrived(
      eventBy(ada, 'presence', { peer: testPeerId(1), data: {} }, { parents: [second.id] }),
    )
    isTurn = false
    acknowledger.arrived(messageBy(bob, 'to the second', { parents: [second.id] }))
    await clock.advance(10_000)
    expect(acknowledged).toBe(0)
    expect(clock.pending).toBe(0)
  })

  it('is not given after the end', async () => {
    acknowledger.arrived(first)
    acknowledger.close()
    await clock.advance(10_000)
    expect(acknowledged).toBe(0)
    expect(clock.pending).toBe(0)
  })
})
