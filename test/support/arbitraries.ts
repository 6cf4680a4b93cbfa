import fc from 'fast-check'
import { compareBounds, START } from '../../src/room/reconciler.ts'
import { toBase64url } from '../../src/wire/base64url.ts'
import {
  type Claims,
  type EventType,
  isPresenceData,
  isText,
  lifetimeMs,
  toSeconds,
} from '../../src/wire/claims.ts'
import { isEmoji } from '../../src/wire/emoji.ts'
import { eventId } from '../../src/wire/event-id.ts'
import type { JsonObject } from '../../src/wire/json.ts'
import type { Bound, Range, SyncFrame, Turn } from '../../src/wire/sync.ts'
import { NOW, TOPIC, testAuthor, testPeerId } from './authors.ts'

/** Texts of all kinds: dots, percent signs, combining marks, both halves of the Unicode planes. */
export const wellFormedText = fc.oneof(
  fc.string({ unit: 'binary', minLength: 1, maxLength: 6 }).filter((text) => text.isWellFormed()),
  fc.string({
    unit: fc.constantFrom('.', '%', '%2E', 'a', 'A', 'é', 'e\u0301', '\u00e9', '🦊', '-', '_', ' ', '\u0000'),
    minLength: 1,
    maxLength: 8,
  }),
)

const jti = fc.uint8Array({ minLength: 16, maxLength: 16 }).map(toBase64url)

/**
 * A `jti` that no other event of a list has, the same whenever a failing input is tried again, and also while that is
 * made smaller.
 */
export const ownJti: fc.Arbitrary<string> = fc.noShrink(fc.noBias(fc.maxSafeNat())).map((number) => {
  const bytes = new Uint8Array(16)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(number))
  return toBase64url(bytes)
})

const id = fc.nat().map((number) => eventId(`event ${number}`))

const parents = fc.uniqueArray(id, { maxLength: 8 }).map((ids) => ids.sort())

const presenceData: fc.Arbitrary<JsonObject> = fc
  .dictionary(fc.string({ maxLength: 8 }), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 4 })
  .map((data) => JSON.parse(JSON.stringify(data)) as JsonObject)
  .filter(isPresenceData)

const peer = fc.nat(9).map(testPeerId)

/** What a reaction may be: drawn from the longest emojis there are, and from all that is one character. */
export const emoji = fc.oneof(
  fc.constantFrom('👍', '❤️', '❤', '👩🏻‍❤️‍💋‍👩🏼', '🏴󠁧󠁢󠁥󠁮󠁧󠁿', '🇨🇭', '#️⃣', '🏳️‍🌈', 'é', 'e\u0301', 'א', 'x'),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }).filter(isEmoji),
)

const bodies: { [T in EventType]: fc.Arbitrary<object> } = {
  join: fc.record({ peer, data: presenceData }),
  presence: fc.record({ peer, data: presenceData }),
  leave: fc.record({ peer }),
  message: fc.record(
    { text: fc.string({ unit: 'binary', minLength: 1, maxLength: 60 }).filter(isText), replyTo: id },
    { requiredKeys: ['text'] },
  ),
  edit: fc.record({
    target: id,
    text: fc.string({ unit: 'binary', minLength: 1, maxLength: 60 }).filter(isText),
  }),
  delete: fc.record({ target: id }),
  reaction: fc.record({ target: id, emoji, state: fc.constantFrom('add', 'remove') }),
  typing: fc.record({ state: fc.constantFrom('start', 'stop') }),
}

const eventType = fc.constantFrom<EventType>(...(Object.keys(bodies) as EventType[]))

/** Claims that are right, of every type, by one of a few authors. */
export const rightClaims: fc.Arbitrary<Claims> = eventType.chain((type) =>
  fc
    .record({
      author: fc.nat(3),
      at: fc.integer({ min: NOW - 50_000, max: NOW + 50_000 }),
      // What changes a message lives neither longer nor shorter.
      livesMs: fc.integer({
        min: 'edit delete reaction'.includes(type) ? lifetimeMs(type) : 1,
        max: lifetimeMs(type),
      }),
      jti,
      parents,
      body: bodies[type],
      shownMs: fc.nat(1_000_000_000),
    })
    .map(({ author, at, livesMs, jti, parents, body, shownMs }) => {
      const { did: iss } = testAuthor(author)
      const times = { iat: toSeconds(at), exp: toSeconds(at + livesMs) }
      const since = 'data' in body ? { since: toSeconds(at - shownMs) } : {}
      return { iss, aud: TOPIC, ...times, jti, type, parents, ...since, ...body } as unknown as Claims
    }),
)

const digest = fc.uint8Array({ minLength: 8, maxLength: 8 }).map((bytes) => String.fromCharCode(...bytes))
const digests = fc.array(digest, { maxLength: 6 })
const prefix = fc.string({ unit: fc.constantFrom(...'abcdefghijklmnopqrstuvwxyz234567'), maxLength: 59 })
/** A place in time, mostly near others. */
const bound: fc.Arbitrary<Bound> = fc.record({
  timestamp: fc.oneof(fc.integer({ min: NOW - 20, max: NOW + 60 }), fc.integer({ min: 0, max: 2 ** 52 })),
  prefix: fc.oneof(fc.constant(''), prefix),
})

const rangeBody = fc.oneof(
  fc.record({ kind: fc.constantFrom('same' as const, 'rest' as const) }),
  fc.record({ kind: fc.constant('fingerprint' as const), fingerprint: digest }),
  fc.record({ kind: fc.constantFrom('ids' as const, 'want' as const), ids: digests }),
  fc.record({ kind: fc.constant('newest' as const), limit: fc.oneof(fc.nat(200), fc.maxSafeNat()) }),
)

/** Ranges as the wire has them: in order, the last one to the end of time. */
const ranges: fc.Arbitrary<Range[]> = fc
  .tuple(fc.uniqueArray(bound, { comparator: (a, b) => compareBounds(a, b) === 0, maxLength: 6 }), rangeBody)
  .chain(([bounds, last]) => {
    const uppers = bounds.filter((upper) => compareBounds(upper, START) > 0).sort(compareBounds)
    return fc
      .array(rangeBody, { minLength: uppers.length, maxLength: uppers.length })
      .map((bodies) => [
        ...bodies.map((body, index) => ({ upper: uppers[index], ...body })),
        { upper: undefined, ...last },
      ])
  })

const syncTurn: fc.Arbitrary<Turn> = fc.record({
  floor: bound,
  roster: fc.oneof(fc.constant<Range[]>([]), ranges),
  timeline: fc.oneof(fc.constant<Range[]>([]), ranges),
})
const salt = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => new Uint8Array(bytes))
/** What a line of a frame may be: it need be no event. */
export const frameLines = fc.uniqueArray(
  fc
    .string({ unit: fc.constantFrom(...'eyJaZ09-_.'), minLength: 1, maxLength: 30 })
    .map((line) => `e${line}`),
  { minLength: 1, maxLength: 64 },
)

/** Any frame of a comparison that is right by itself. */
export const syncFrame: fc.Arbitrary<SyncFrame> = fc.oneof(
  { weight: 4, arbitrary: syncTurn.map((turn) => ({ kind: 'turn' as const, ...turn })) },
  { weight: 2, arbitrary: frameLines.map((jwts) => ({ kind: 'events' as const, jwts })) },
  {
    weight: 1,
    arbitrary: fc.tuple(salt, syncTurn).map(([salt, turn]) => ({ kind: 'open' as const, salt, ...turn })),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'busy' as const }) },
)
