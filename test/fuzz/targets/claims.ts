import {
  EVENT_MAX_BYTES,
  PARENTS_MAX,
  PRESENCE_MAX_BYTES,
  RETENTION_MS,
  TEXT_MAX_BYTES,
} from '../../../src/limits.ts'
import { decodeClaims, encodeClaims, lifetimeMs, toMilliseconds } from '../../../src/wire/claims.ts'
import { isEmoji } from '../../../src/wire/emoji.ts'
import { byteLength, isJsonObject } from '../../../src/wire/json.ts'
import { CLAIM_WORDS, conversation, someClaims } from '../support/events.ts'
import { bytesOf, textOf } from '../support/input.ts'
import { promise, type Target } from '../target.ts'

/** What an author says, as JSON. */
export const claims: Target = {
  name: 'claims',
  run(input) {
    const text = textOf(input)
    isEmoji(text)
    const said = decodeClaims(text)
    if (said === undefined) return
    promise(encodeClaims(said) === text, 'claims have one text')
    const livesMs = toMilliseconds(said.exp) - toMilliseconds(said.iat)
    promise(livesMs > 0 && livesMs <= lifetimeMs(said.type), 'an event lives as long as its type may')
    promise(livesMs <= RETENTION_MS, 'nothing lives longer than a day')
    promise(said.parents.length <= PARENTS_MAX, 'an event has 8 parents at the most')
    if ('text' in said) promise(byteLength(said.text) <= TEXT_MAX_BYTES, 'a text is 4 KiB at the most')
    if ('emoji' in said) promise(isEmoji(said.emoji), 'a reaction is one emoji')
    if ('data' in said) {
      promise(isJsonObject(said.data), 'presence data is an object')
      promise(
        byteLength(JSON.stringify(said.data)) <= PRESENCE_MAX_BYTES,
        'presence data is 1 KiB at the most',
      )
      // What an application does with it.
      Object.assign({}, said.data)
    }
  },
  seeds: () => [...someClaims(40), ...conversation()].map((each) => bytesOf(encodeClaims(each))),
  words: CLAIM_WORDS,
  maxBytes: EVENT_MAX_BYTES,
  runs: 700_000,
}
