import type { FrameStream } from '../../src/network/network.ts'
import { sample } from '../../src/random.ts'
import { decodeSync, encodeSync } from '../../src/wire/sync.ts'
import { eventsFrame, lastTurn } from '../support/sync.ts'
import { forged, garbage, type Means } from './means.ts'
import type { Manners } from './scenario.ts'

/** A side that sends without end ends here: a simulation has to. */
const FRAMES_MAX = 1_000
const RESURRECTED_AT_ONCE = 16

/** Answers a stream that somebody opened to ask for what was missed. Never rejects. */
export async function answerBadly(stream: FrameStream, manners: Manners, means: Means): Promise<void> {
  try {
    for await (const frame of stream.frames) {
      if (decodeSync(frame)?.kind !== 'open') break
      await answer(stream, manners, means)
      break
    }
    if (manners !== 'is-silent') await stream.close()
  } catch {
    // The other side has broken it off.
  }
}

async function answer(stream: FrameStream, manners: Manners, means: Means): Promise<void> {
  const events = (jwts: string[]): Promise<void> => stream.send(eventsFrame(...jwts))
  const done = (): Promise<void> => stream.send(lastTurn())
  const { dice, heard } = means
  switch (manners) {
    case 'withholds':
      return done()
    case 'forges':
      for (const jwt of sample(dice.random, heard, 5)) await events([forged(jwt, means)])
      return done()
    case 'resurrects':
      // All it ever heard, also what was deleted or replaced since.
      for (let at = 0; at < heard.length; at += RESURRECTED_AT_ONCE) {
        await events(heard.slice(at, at + RESURRECTED_AT_ONCE))
      }
      return done()
    case 'babbles':
      return stream.send(garbage(means, dice.whole(1, 1_000)))
    case 'is-silent':
      return
    case 'never-ends': {
      const [first] = heard
      for (let frame = 0; frame < FRAMES_MAX && first !== undefined; frame += 1) await events([first])
      return
    }
    case 'is-busy':
      return stream.send(encodeSync({ kind: 'busy' }))
  }
}
