import { ed25519 } from '@noble/curves/ed25519.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { base58btc } from 'multiformats/bases/base58'
import { didOf } from '../../src/identity/did-key.ts'
import { toBase64url } from '../../src/wire/base64url.ts'
import { type Bodies, type Claims, type EventType, lifetimeMs, toSeconds } from '../../src/wire/claims.ts'
import { eventOf, type SignedEvent } from '../../src/wire/event.ts'
import type { EventId } from '../../src/wire/event-id.ts'
import { assembleJwt, HEADER, signingInput } from '../../src/wire/jwt.ts'
import { topicOf } from '../../src/wire/topic.ts'

/** The time tests begin at, in milliseconds. */
export const NOW = 1_800_000_000_000
/** The room of tests that need only one. */
export const TOPIC = topicOf('space', 'room')

const utf8 = new TextEncoder()
let written = 0

/** Somebody with a key of its own, always the same for a number. */
export interface TestAuthor {
  readonly did: string
  readonly seed: Uint8Array<ArrayBuffer>
}

/** What an event may have other than the usual. */
export interface EventOptions {
  topic?: string
  /** When it is written; default {@link NOW}. */
  at?: number
  /** How long it lives; default the longest its type allows. */
  livesMs?: number
  jti?: string
  parents?: EventId[]
}

/** What an event says; a presence shows what it shows since its own time unless told otherwise. */
export type BodyOf<T extends EventType> = T extends 'join' | 'presence'
  ? Omit<Bodies[T], 'since'> & { since?: number }
  : Bodies[T]

/** Made once: a key takes a millisecond. */
const authors = new Map<number, TestAuthor>()
const peerIds = new Map<number, string>()

export function testAuthor(number: number): TestAuthor {
  const known = authors.get(number)
  if (known !== undefined) return known
  const seed = new Uint8Array(sha256(utf8.encode(`test author ${number}`)))
  const author = { did: didOf(ed25519.getPublicKey(seed)), seed }
  authors.set(number, author)
  return author
}

/** A peer id, always the same for a number. */
export function testPeerId(number: number): string {
  const known = peerIds.get(number)
  if (known !== undefined) return known
  const bytes = new Uint8Array(34)
  bytes.set(sha256(utf8.encode(`test peer ${number}`)))
  const peerId = `12D3KooW${base58btc.baseEncode(bytes).padStart(44, '2').slice(0, 44)}`
  peerIds.set(number, peerId)
  return peerId
}

/** A `jti` that no other event of the test run has. */
function freshJti(): string {
  written += 1
  const bytes = new Uint8Array(16)
  new DataView(bytes.buffer).setUint32(0, written)
  return toBase64url(bytes)
}

export function claimsBy<T extends EventType>(
  author: TestAuthor,
  type: T,
  body: BodyOf<T>,
  options: EventOptions = {},
): Claims {
  const { topic = TOPIC, at = NOW, livesMs = lifetimeMs(type), jti = freshJti(), parents = [] } = options
  const common = { iss: author.did, aud: topic, iat: toSeconds(at), exp: toSeconds(at + livesMs), jti }
  const since = type === 'join' || type === 'presence' ? { since: toSeconds(at) } : {}
  return { ...common, type, parents, ...since, ...body } as unknown as Claims
}

/** The JWT of these claims, signed by `author` whoever `iss` names. */
export function signClaims(author: TestAuthor, claims: Claims): string {
  return signInput(author, signingInput(claims))
}

/** A signed event. */
export function eventBy<T extends EventType>(
  author: TestAuthor,
  type: T,
  body: BodyOf<T>,
  options: EventOptions = {},
): SignedEvent<T> {
  const claims = claimsBy(author, type, body, options)
  return eventOf(signClaims(author, claims), claims) as SignedEvent<T>
}

/** An event whose JWT is none: for what does not look at signatures, and is cheap to have many of. */
export function unsignedBy<T extends EventType>(
  author: TestAuthor,
  type: T,
  body: BodyOf<T>,
  options: EventOptions = {},
): SignedEvent<T> {
  const claims = claimsBy(author, type, body, options)
  return eventOf(`unsigned.${claims.jti}.`, claims) as SignedEvent<T>
}

export function messageBy(
  author: TestAuthor,
  text: string,
  options: EventOptions = {},
): SignedEvent<'message'> {
  return eventBy(author, 'message', { text }, options)
}

/** A JWT of any payload text under any header text, signed correctly. */
export function signText(author: TestAuthor, payload: string, header = JSON.stringify(HEADER)): string {
  return signInput(author, `${toBase64url(utf8.encode(header))}.${toBase64url(utf8.encode(payload))}`)
}

/** Signs what stands before the second dot. */
function signInput(author: TestAuthor, input: string): string {
  return assembleJwt(input, ed25519.sign(utf8.encode(input), author.seed))
}
