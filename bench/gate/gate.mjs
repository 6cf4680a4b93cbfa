/** What it costs to look at an event, right or wrong, on one core. */
import { Gate } from '../../src/gate/gate.ts'
import { admitGossip } from '../../src/gate/gossip.ts'
import { Rates } from '../../src/gate/rates.ts'
import { sharedVerifier } from '../../src/identity/verifier.ts'
import { ROOM_AUTHOR_BURST, ROOM_AUTHOR_PER_SECOND } from '../../src/limits.ts'
import { encodeFrame } from '../../src/wire/frame.ts'
import { HEADER } from '../../src/wire/jwt.ts'
import { messageBy, NOW, TOPIC, testAuthor } from '../../test/support/authors.ts'
import { median, round } from '../support/stats.mjs'
import { cpuMs } from '../support/worker.mjs'

const TEXT = 'x'.repeat(200)
const AUTHORS = 8
const EVENTS = 2_048
const RUNS = 9
const FRAME_SIZES = [1, 32]
const clock = { now: () => NOW, after: () => () => {} }

/** By kind: the JWTs, and which verdict all of their messages have. Those of most kinds are made from those that are right. */
const KINDS = {
  'new and right': { verdict: 'accept', make: (jwts) => jwts },
  'seen before': { verdict: 'ignore', make: (jwts) => jwts, isSeen: true },
  'from a neighbour that is over its rate': { verdict: 'excess', make: (jwts) => jwts, isOverRate: true },
  'signed by somebody else': {
    verdict: 'reject',
    make: (jwts) =>
      jwts.map((jwt, index) =>
        partsOf(jwt)
          .with(2, partsOf(jwts.at(index - 1))[2])
          .join('.'),
      ),
  },
  'for another room': {
    verdict: 'reject',
    make: () => messages({ topic: TOPIC.replace(/room$/, 'another') }),
  },
  'with a text that is too long': {
    verdict: 'reject',
    make: (jwts) => jwts.map((jwt) => withPayload(jwt, (json) => json.replace(TEXT, 'x'.repeat(4_097)))),
    // 32 of them are no message: it is over its 32 KiB.
    sizes: [1],
  },
  'with a claim too many': {
    verdict: 'reject',
    make: (jwts) => jwts.map((jwt) => withPayload(jwt, (json) => json.replace(/\}$/, ',"role":"admin"}'))),
  },
  'with white space in it': {
    verdict: 'reject',
    make: (jwts) => jwts.map((jwt) => withPayload(jwt, (json) => json.replace(',', ', '))),
  },
  'with another header': {
    verdict: 'reject',
    make: (jwts) =>
      jwts.map((jwt) =>
        partsOf(jwt)
          .with(0, encoded(JSON.stringify({ ...HEADER, alg: 'none' })))
          .join('.'),
      ),
  },
  'no JWT at all': { verdict: 'reject', make: (jwts) => jwts.map((jwt) => jwt.replaceAll('.', '-')) },
}

export const gate = {
  name: 'gate',
  question: 'What does an attack cost the gate?',
  method: `Gossip messages with 1 or 32 events of 200-byte texts by ${AUTHORS} authors go through the gate of a member, as they do when they come
from a neighbour. CPU of the whole process, threads that verify included; "a second" is for one core. An event that is seen before,
or wrong in its form, is never verified; a message of a neighbour that is over its rate is dropped before it is looked at.`,
  measure: async ({ isQuick, progress }) => {
    const right = messages()
    const results = []
    for (const [
      kind,
      { verdict, make, isSeen = false, isOverRate = false, sizes = FRAME_SIZES },
    ] of Object.entries(KINDS)) {
      progress(kind)
      const jwts = make(right)
      for (const size of sizes) {
        const frames = framesOf(jwts, size)
        const spent = []
        for (let run = 0; run < (isQuick ? 2 : RUNS); run += 1) {
          spent.push(await admitAll(frames, { verdict, seen: isSeen ? framesOf(jwts, 32) : [], isOverRate }))
        }
        // The first run is for the compiler.
        const us = (median(spent.slice(1)) * 1_000) / jwts.length
        results.push({ kind, eventsAMessage: size, us: round(us, 1), perSecond: Math.round(1e6 / us) })
      }
    }
    return results
  },
  tables: (results) => [
    {
      rows: [...new Set(results.map(({ kind }) => kind))].map((kind) => {
        const of = (size) => results.find((row) => row.kind === kind && row.eventsAMessage === size)
        return {
          'an event': kind,
          'alone, µs': of(1).us,
          'a second': of(1).perSecond.toLocaleString('en'),
          '32 in a message, µs': of(32)?.us ?? '',
          'a second ': of(32)?.perSecond.toLocaleString('en') ?? '',
        }
      }),
    },
  ],
  plots: (results) => [
    {
      kind: 'bars',
      name: 'gate',
      title: 'What the gate takes for an event that comes alone',
      unit: 'µs of CPU',
      bars: results
        .filter((row) => row.eventsAMessage === 1)
        .map(({ kind, us }) => ({ label: kind, value: us })),
    },
  ],
}

/** Resolves with how many milliseconds of CPU it took. */
async function admitAll(frames, { verdict, seen, isOverRate }) {
  const author = { burst: ROOM_AUTHOR_BURST, perSecond: ROOM_AUTHOR_PER_SECOND }
  const entrance = new Gate({
    topic: TOPIC,
    clock,
    verifier: sharedVerifier,
    rates: new Rates({ clock, author }),
  })
  const source = { peerId: 'neighbour', isCarrier: !isOverRate }
  for (const frame of seen) await admitGossip(entrance, frame)
  // What it may bring at once, it has brought.
  while (isOverRate && entrance.affords(source, { events: 32, bytes: 0 }));
  const before = cpuMs()
  const answers = []
  // As many at a time as a neighbour writes at once.
  for (let first = 0; first < frames.length; first += 64) {
    const some = frames.slice(first, first + 64)
    answers.push(...(await Promise.all(some.map((frame) => admitGossip(entrance, frame, source)))))
  }
  const spent = cpuMs() - before
  const other = answers.find((answer) => answer.verdict !== verdict)
  if (other !== undefined) throw new Error(`a message that is to be ${verdict} is ${other.verdict}`)
  return spent
}

function messages(options) {
  return Array.from(
    { length: EVENTS },
    (_, index) => messageBy(testAuthor(index % AUTHORS), TEXT, options).jwt,
  )
}

function framesOf(jwts, size) {
  return Array.from({ length: jwts.length / size }, (_, index) =>
    encodeFrame(jwts.slice(index * size, (index + 1) * size)),
  )
}

function partsOf(jwt) {
  return jwt.split('.')
}

function withPayload(jwt, change) {
  const [, payload] = partsOf(jwt)
  return partsOf(jwt)
    .with(1, encoded(change(Buffer.from(payload, 'base64url').toString())))
    .join('.')
}

function encoded(text) {
  return Buffer.from(text).toString('base64url')
}
