import { EVENT_MAX_BYTES } from '../../../src/limits.ts'
import { encodeClaims } from '../../../src/wire/claims.ts'
import { eventOf } from '../../../src/wire/event.ts'
import { isEventId } from '../../../src/wire/event-id.ts'
import { assembleJwt, parseJwt, signingInput } from '../../../src/wire/jwt.ts'
import { parseTopic } from '../../../src/wire/topic.ts'
import { CLAIM_WORDS, conversation, jwtAround, someClaims } from '../support/events.ts'
import { bytesOf, textOf } from '../support/input.ts'
import { promise, type Target } from '../target.ts'

const MALFORMED = ['too-long', 'not-a-jwt', 'bad-header', 'bad-claims', 'bad-signature-form']

/** A JWT: the input as it is, and as the claims of one. */
export const jwt: Target = {
  name: 'jwt',
  run(input) {
    examine(textOf(input))
    examine(jwtAround(input))
  },
  seeds: () => {
    const texts = [...someClaims(20), ...conversation()].map(encodeClaims)
    const jwts = texts.map((text) => jwtAround(bytesOf(text)))
    const [header, payload, signature] = (jwts[0] ?? '').split('.')
    const almost = [
      `${header}A.${payload}.${signature}`,
      `${header}.${payload}=.${signature}`,
      `${header}.${payload}.${signature}AA`,
      `${header}.${payload}.${signature}.`,
      `.${payload}.${signature}`,
    ]
    return [...texts, ...jwts, ...almost].map(bytesOf)
  },
  words: [...CLAIM_WORDS, '.', '..', 'eyJ', '=='],
  maxBytes: EVENT_MAX_BYTES + 8,
  runs: 400_000,
}

function examine(text: string): void {
  const parsed = parseJwt(text)
  if (typeof parsed === 'string') {
    promise(MALFORMED.includes(parsed), 'what is wrong has a name')
    return
  }
  const { claims, signature, signed } = parsed
  promise(text.length <= EVENT_MAX_BYTES, 'an event is 16 KiB at the most')
  promise(assembleJwt(signingInput(claims), signature) === text, 'claims and a signature have one JWT')
  promise(textOf(signed) === signingInput(claims), 'what is signed is header and claims')
  promise(isEventId(eventOf(text, claims).id), 'every event has an id')
  parseTopic(claims.aud)
}
