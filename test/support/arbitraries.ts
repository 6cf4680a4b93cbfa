import fc from 'fast-check'
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

const id = fc.nat().map((number) => eventId(`event ${number}`))

const parents = fc.uniqueArray(id, { maxLength: 8 }).map((ids) => ids.sort())

const presenceData: fc.Arbitrary<JsonObject> = fc
  .dictionary(fc.string({ maxLength: 8 }), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 4 })
  .map((data) => JSON.parse(JSON.stringify(data)) as JsonObject)
  .filter(isPresenceData)

const peer = fc.nat(9).map(testPeerId)

/** What a reaction may be: drawn from the longest emojis there are, and from all that is one character. */
const emoji = fc.oneof(
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
