import {
  LEASE_MS,
  PARENTS_MAX,
  PRESENCE_MAX_BYTES,
  RETENTION_MS,
  TEXT_MAX_BYTES,
  TYPING_MS,
} from '../limits.ts'
import { isEmoji } from './emoji.ts'
import { type EventId, isEventId } from './event-id.ts'
import { byteLength, isJsonObject, isRecord, type JsonObject } from './json.ts'

/** What every event carries, whatever its type. */
interface CommonClaims {
  /** The author: a `did:key` of an Ed25519 key. */
  iss: string
  /** The topic of the room the event is for. */
  aud: string
  /** When it was made, in seconds since the Unix epoch, to the millisecond. */
  iat: number
  /** When it ends, in the same unit. */
  exp: number
  /** 128 random bits, base64url: the same text twice is two events. */
  jti: string
  /** Ids of the heads of the timeline its author had seen, at most 8, sorted. */
  parents: EventId[]
}

/** The claims that differ from type to type. */
export interface Bodies {
  /**
   * A device came. `peer` is the transport peer id it speaks for, `data` what it
   * shows of its user, `since` (in the unit of `iat`) when it began to show that.
   */
  join: { peer: string; since: number; data: JsonObject }
  /** A device is still there, or shows something else. */
  presence: { peer: string; since: number; data: JsonObject }
  /** A device went. */
  leave: { peer: string }
  /** A text, maybe an answer to another. */
  message: { text: string; replyTo?: EventId }
  /** Another text for an own message. */
  edit: { target: EventId; text: string }
  /** An own message is to be gone. */
  delete: { target: EventId }
  /** The author reacts to a message, or takes a reaction back. */
  reaction: { target: EventId; emoji: string; state: 'add' | 'remove' }
  /** The author began or ended typing. */
  typing: { state: 'start' | 'stop' }
}

/** The types of events there are. */
export type EventType = keyof Bodies

/** The claims of one type of event. */
export type ClaimsOf<T extends EventType> = T extends EventType
  ? CommonClaims & { type: T } & Bodies[T]
  : never

/** The claims of any event. */
export type Claims = ClaimsOf<EventType>

interface Schema<T extends EventType> {
  /** The longest an event of this type may live. */
  lifetimeMs: number
  /**
   * Whether it lives exactly that long. A change does: what takes the place of another, or removes it, then outlives it,
   * and what was removed does not come back.
   */
  isFixed?: true
  /** The claims of the body in the order they are written. */
  keys: readonly (keyof Bodies[T] & string)[]
  /** Whether the body is right. */
  check(body: Record<string, unknown>): boolean
}

const PEER_ID = /^[1-9A-HJ-NP-Za-km-z]{46,64}$/
const JTI = /^[A-Za-z0-9_-]{21}[AQgw]$/
const DID = /^did:key:z6Mk[1-9A-HJ-NP-Za-km-z]{44}$/

/** The one list of types. A new type of event starts here. */
const SCHEMAS: { [T in EventType]: Schema<T> } = {
  join: { lifetimeMs: LEASE_MS, keys: ['peer', 'since', 'data'], check: isPresenceBody },
  presence: { lifetimeMs: LEASE_MS, keys: ['peer', 'since', 'data'], check: isPresenceBody },
  leave: { lifetimeMs: LEASE_MS, keys: ['peer'], check: (body) => isPeerId(body.peer) },
  message: {
    lifetimeMs: RETENTION_MS,
    keys: ['text', 'replyTo'],
    check: (body) => isText(body.text) && (body.replyTo === undefined || isEventId(body.replyTo)),
  },
  edit: {
    lifetimeMs: RETENTION_MS,
    isFixed: true,
    keys: ['target', 'text'],
    check: (body) => isEventId(body.target) && isText(body.text),
  },
  delete: {
    lifetimeMs: RETENTION_MS,
    isFixed: true,
    keys: ['target'],
    check: (body) => isEventId(body.target),
  },
  reaction: {
    lifetimeMs: RETENTION_MS,
    isFixed: true,
    keys: ['target', 'emoji', 'state'],
    check: (body) =>
      isEventId(body.target) && isEmoji(body.emoji) && (body.state === 'add' || body.state === 'remove'),
  },
  typing: {
    lifetimeMs: TYPING_MS,
    keys: ['state'],
    check: (body) => body.state === 'start' || body.state === 'stop',
  },
}

const COMMON_KEYS = ['iss', 'aud', 'iat', 'exp', 'jti', 'type', 'parents'] as const

/** The longest an event of this type may live, in milliseconds; what changes a message lives exactly so long. */
export function lifetimeMs(type: EventType): number {
  return SCHEMAS[type].lifetimeMs
}

/** The one JSON text of these claims: keys in the order of the schema, no white space. */
export function encodeClaims(claims: Claims): string {
  const ordered: Record<string, unknown> = {}
  for (const key of [...COMMON_KEYS, ...SCHEMAS[claims.type].keys]) {
    const value = (claims as unknown as Record<string, unknown>)[key]
    if (value !== undefined) ordered[key] = value
  }
  return JSON.stringify(ordered)
}

/**
 * The claims a JSON text holds, or `undefined` unless it is byte for byte what
 * {@link encodeClaims} writes for claims that are right. That one comparison
 * refuses unknown and duplicate keys, other orders, white space and other
 * spellings of numbers and texts.
 */
export function decodeClaims(json: string): Claims | undefined {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    return undefined
  }
  if (!areClaims(value)) return undefined
  return encodeClaims(value) === json ? value : undefined
}

/** Whether these are the claims of an event, each of them right by itself. */
export function areClaims(value: unknown): value is Claims {
  if (!isRecord(value) || typeof value.type !== 'string' || !Object.hasOwn(SCHEMAS, value.type)) return false
  const schema = SCHEMAS[value.type as EventType]
  return (
    typeof value.iss === 'string' &&
    DID.test(value.iss) &&
    typeof value.aud === 'string' &&
    isTime(value.iat) &&
    isTime(value.exp) &&
    isLifetime(value.iat, value.exp, schema) &&
    typeof value.jti === 'string' &&
    JTI.test(value.jti) &&
    areParents(value.parents) &&
    schema.check(value)
  )
}

/** A text of a message: not empty, well-formed, at most 4,096 bytes of UTF-8. */
export function isText(value: unknown): value is string {
  return (
    typeof value === 'string' && value !== '' && value.isWellFormed() && byteLength(value) <= TEXT_MAX_BYTES
  )
}

/** Presence data: a JSON object of at most 1,024 bytes. */
export function isPresenceData(value: unknown): value is JsonObject {
  return isJsonObject(value) && byteLength(JSON.stringify(value)) <= PRESENCE_MAX_BYTES
}

/** Milliseconds as the wire writes them. */
export function toSeconds(ms: number): number {
  return Math.round(ms) / 1000
}

/** Seconds of the wire as milliseconds. */
export function toMilliseconds(seconds: number): number {
  return Math.round(seconds * 1000)
}

function isPeerId(value: unknown): boolean {
  return typeof value === 'string' && PEER_ID.test(value)
}

function isPresenceBody(body: Record<string, unknown>): boolean {
  return (
    isPeerId(body.peer) && isTime(body.since) && body.since <= Number(body.iat) && isPresenceData(body.data)
  )
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && value > 0 && value < 1e11 && toSeconds(toMilliseconds(value)) === value
}

function isLifetime(
  iat: number,
  exp: number,
  schema: Pick<Schema<'edit'>, 'lifetimeMs' | 'isFixed'>,
): boolean {
  const livesMs = toMilliseconds(exp) - toMilliseconds(iat)
  return livesMs > 0 && (schema.isFixed ? livesMs === schema.lifetimeMs : livesMs <= schema.lifetimeMs)
}

function areParents(value: unknown): boolean {
  if (!Array.isArray(value) || value.length > PARENTS_MAX) return false
  return value.every((id, index) => isEventId(id) && (index === 0 || value[index - 1] < id))
}
