import { ManualClock } from 'ghostchat/testing'
import { beforeEach, describe, expect, it } from 'vitest'
import { Typing } from '../../../src/room/typing.ts'
import { NOW } from '../../support/authors.ts'
import { ShiftedClock } from '../../support/shifted-clock.ts'

let clock: ManualClock
let sent: string[]
let told: string[][]
let typing: Typing

beforeEach(() => {
  clock = new ManualClock(NOW)
  sent = []
  told = []
  typing = new Typing({ clock, send: (state) => sent.push(state), onChange: (dids) => told.push(dids) })
})

describe('the own typing', () => {
  it('is told at most every 3 s', async () => {
    for (let second = 0; second < 7; second += 1) {
      typing.keystroke()
      typing.keystroke()
      await clock.advance(1_000)
    }
    expect(sent).toEqual(['start', 'start', 'start'])
  })

  it('is told as often when the clock was set back', async () => {
    const shifted = new ShiftedClock(clock)
    typing = new Typing({ clock: shifted, send: (state) => sent.push(state), onChange: () => {} })
    typing.keystroke()
    shifted.aheadMs = -3_600_000
    for (let second = 0; second < 4; second += 1) {
      typing.keystroke()
      await clock.advance(1_000)
    }
    expect(sent).toEqual(['start', 'start'])
  })

  it('is told anew after 6 s of silence', async () => {
    typing.keystroke()
    await clock.advance(6_000)
    expect(typing.sent()).toBe(false)
    typing.keystroke()
    expect(sent).toEqual(['start', 'start'])
  })

  it('stops once, and only where it began', () => {
    typing.stop()
    typing.keystroke()
    typing.stop()
    typing.stop()
    expect(sent).toEqual(['start', 'stop'])
  })

  it('ends with a message, which needs no stop', () => {
    typing.keystroke()
    expect(typing.sent()).toBe(true)
    typing.stop()
    typing.keystroke()
    expect(sent).toEqual(['start', 'start'])
  })
})

describe('the typing of others', () => {
  it('begins once and ends by itself', async () => {
    typing.began('ada', NOW, NOW + 6_000)
    await clock.advance(3_000)
    typing.began('ada', NOW + 3_000, NOW + 9_000)
    typing.began('bob', NOW, NOW + 6_000)
    expect(typing.current()).toEqual(['ada', 'bob'])
    await clock.advance(3_000)
    expect(typing.current()).toEqual(['ada'])
    await clock.advance(3_000)
    expect(told).toEqual([['ada'], ['ada', 'bob'], ['ada'], []])
  })

  it('ends with a stop, a message or a leaving, once', () => {
    typing.began('ada', NOW, NOW + 6_000)
    typing.ended('ada')
    typing.ended('ada')
    typing.ended('bob')
    expect(told).toEqual([['ada'], []])
  })

  it('is not begun by a start that was before the last stop', () => {
    typing.ended('ada', NOW + 2)
    typing.began('ada', NOW + 1, NOW + 6_001)
    typing.began('ada', NOW + 2, NOW + 6_002)
    expect(typing.current()).toEqual([])
    typing.began('ada', NOW + 3, NOW + 6_003)
    expect(typing.current()).toEqual(['ada'])
  })

  it('leaves no timer behind', () => {
    typing.began('ada', NOW, NOW + 6_000)
    typing.keystroke()
    typing.close()
    expect(clock.pending).toBe(0)
    expect(typing.current()).toEqual([])
  })
})
