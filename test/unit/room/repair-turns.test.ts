import { ManualClock, seededRandom } from 'ghostchat/testing'
import { beforeEach, describe, expect, it } from 'vitest'
import { silentLogger } from '../../../src/logger.ts'
import { Gaps } from '../../../src/room/gaps.ts'
import { Recovery } from '../../../src/room/recovery.ts'
import { Repair } from '../../../src/room/repair.ts'
import { Timeline } from '../../../src/room/timeline.ts'
import type { SignedEvent } from '../../../src/wire/event.ts'
import { messageBy, NOW, testAuthor } from '../../support/authors.ts'

const ada = testAuthor(1)
/** Others, that have nothing and name nothing. */
const OTHERS = Array.from({ length: 20 }, (_, number) => `other ${number}`)
const MEMBERS = ['mallory', 'honest', ...OTHERS]
let clock: ManualClock
let timeline: Timeline
let gaps: Gaps
/** Who was asked. */
let asked: string[]
/** What the honest one has, and how often it is busy before it answers. */
let kept: SignedEvent<'message'> | undefined
let busy: number
let repair: Repair

beforeEach(() => {
  clock = new ManualClock(NOW)
  timeline = new Timeline()
  asked = []
  kept = undefined
  busy = 0
  gaps = new Gaps(timeline, () => MEMBERS)
  // Mallory is the first one who is asked; from then on it is chance.
  const dice = seededRandom(1)
  let isFirst = true
  const fraction = (): number => {
    const here = isFirst ? 0 : dice.fraction()
    isFirst = false
    return here
  }
  const random = { bytes: (length: number) => new Uint8Array(length), fraction }
  const recovery = new Recovery({ clock, random, logger: silentLogger, candidates: () => MEMBERS })
  repair = new Repair({
    clock,
    logger: silentLogger,
    gaps,
    isSaidMissing: () => false,
    look: (first: readonly string[], onAsk: (peerId: string) => void = () => {}) => {
      const missing = gaps.open()
      const ask = async (peerId: string): Promise<void> => {
        onAsk(peerId)
        asked.push(peerId)
        if (peerId === 'honest' && busy-- > 0) throw new Error('busy')
        if (peerId === 'honest' && kept) timeline.add(kept, clock.now())
        gaps.without(missing, peerId)
      }
      return recovery.run(ask, { signal: new AbortController().signal, peers: 1, first })
    },
  })
})

/** An event of a device comes that names one that is not here. Answers that one. */
function named(by: string): SignedEvent<'message'> {
  const lost = messageBy(ada, 'lost', { at: clock.now() })
  repair.arrived(messageBy(ada, 'next', { at: clock.now(), parents: [lost.id] }), [by])
  return lost
}

describe('what somebody has who named it', () => {
  it('is asked of it also where another one, who is asked first, goes on naming what never was', async () => {
    named('mallory')
    kept = named('honest')
    for (let seconds = 0; seconds < 600; seconds += 1) {
      await clock.advance(1_000)
      named('mallory')
    }
    expect(asked).toContain('honest')
    expect(timeline.get(kept.id)).toBeDefined()
  })

  it('is asked of it again where it was busy once, while another one names what never was', async () => {
    kept = named('honest')
    busy = 1
    for (let seconds = 0; seconds < 600; seconds += 1) {
      await clock.advance(1_000)
      named('mallory')
    }
    expect(timeline.get(kept.id)).toBeDefined()
  })
})
