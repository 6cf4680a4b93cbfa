import fc from 'fast-check'
import { toBase64url } from '../../../src/wire/base64url.ts'
import { type Claims, encodeClaims } from '../../../src/wire/claims.ts'
import { HEADER } from '../../../src/wire/jwt.ts'
import { rightClaims } from '../../support/arbitraries.ts'
import { claimsBy, NOW, TOPIC, testAuthor, testPeerId } from '../../support/authors.ts'
import { bytesOf } from './input.ts'

const SEED = 1
const ENCODED_HEADER = toBase64url(bytesOf(JSON.stringify(HEADER)))
const SIGNATURE = toBase64url(new Uint8Array(64).fill(7))

/** Right claims of every type, always the same. */
export function someClaims(count: number): Claims[] {
  return fc.sample(rightClaims, { seed: SEED, numRuns: count })
}

/** A few events of a conversation: who comes, speaks, answers, corrects itself, reacts, goes. */
export function conversation(): Claims[] {
  const [ada, bob] = [testAuthor(1), testAuthor(2)]
  const target = targetId()
  const at = (seconds: number): { at: number } => ({ at: NOW + 1_000 * seconds })
  return [
    claimsBy(ada, 'join', { peer: testPeerId(1), data: { name: 'Ada' } }),
    claimsBy(bob, 'join', { peer: testPeerId(2), data: {} }, at(1)),
    claimsBy(bob, 'typing', { state: 'start' }, at(2)),
    claimsBy(bob, 'message', { text: 'hello', replyTo: target }, { ...at(3), parents: [target] }),
    claimsBy(ada, 'edit', { target, text: 'other words' }, at(4)),
    claimsBy(bob, 'reaction', { target, emoji: '👍', state: 'add' }, at(5)),
    claimsBy(bob, 'reaction', { target, emoji: '👍', state: 'remove' }, at(6)),
    claimsBy(ada, 'presence', { peer: testPeerId(1), data: { name: 'Countess' } }, at(7)),
    claimsBy(ada, 'delete', { target }, at(8)),
    claimsBy(ada, 'leave', { peer: testPeerId(1) }, at(9)),
  ]
}

/** The id of an event that {@link conversation} is about. */
function targetId() {
  const [claims] = someClaims(50).filter(({ parents }) => parents.length > 0)
  const [id] = claims?.parents ?? []
  if (id === undefined) throw new Error('no claims with a parent')
  return id
}

/** A JWT around any payload, with the right header and a signature of the right form. */
export function jwtAround(payload: Uint8Array): string {
  return `${ENCODED_HEADER}.${toBase64url(payload)}.${SIGNATURE}`
}

/** The texts of some claims, a line each. */
function linesOf(claims: readonly Claims[]): string {
  return claims.map((each) => `${encodeClaims(each)}\n`).join('')
}

/** What claims are made of. */
export const CLAIM_WORDS = [
  ...[
    'iss',
    'aud',
    'iat',
    'exp',
    'jti',
    'type',
    'parents',
    'peer',
    'since',
    'data',
    'text',
    'replyTo',
    'target',
  ].map((name) => `"${name}":`),
  ...[
    'join',
    'presence',
    'leave',
    'message',
    'edit',
    'delete',
    'reaction',
    'typing',
    'add',
    'remove',
    'start',
    'stop',
  ].map((name) => `"${name}"`),
  ...[
    '"emoji":"👍"',
    '"emoji":',
    '"state":',
    '"__proto__":',
    '\\u0000',
    '\\ud800',
    '1e3',
    '.001',
    '-0',
    '[]',
    '{}',
  ],
  ...['\n', '=\n', '~\n', '@90\n', '-1\n', TOPIC, testAuthor(1).did, testAuthor(2).did, testPeerId(1)],
  String(NOW / 1000),
  targetId(),
] as const

/** What happens in rooms, as `script.ts` reads it: short pieces, because what is long is slow. */
export function scripts(): Uint8Array[] {
  const lines = linesOf(conversation()).split('\n').slice(0, -1)
  const some = linesOf(someClaims(12)).split('\n').slice(0, -1)
  const [join, , typing, message, edit, reaction, takenBack, presence, removal, leave] = lines
  return [
    ...lines,
    ...some.slice(0, 4).map((line) => `${line}\n~1`),
    `${join}\n=1\n${presence}\n=1\n-1\n@5\n${leave}\n=2`,
    `${join}\n=1\n-1\n@11\n@100`,
    `${message}\n${edit}\n=1\n${reaction}\n${takenBack}\n=2\n${removal}\n=3`,
    `${removal}\n=1\n${edit}\n=1\n${message}\n~1`,
    `${typing}\n=1\n@7\n${typing}\n~2\n${message}\n=1`,
    `${message}\n=1\n${message}\n=2\nnonsense\n=6\n@90000\n${message}\n=1`,
    `${some[4]}\n${some[5]}\n=7\n${some[6]}\n~8`,
  ].map(bytesOf)
}
