import { BACKLOG_MAX_EVENTS } from '../limits.ts'
import type { Position } from './event.ts'
import { decodeFrame, encodeFrame } from './frame.ts'
import { isRecord } from './json.ts'

/** The protocol of the stream a backlog travels on. */
export const BACKLOG_PROTOCOL = '/ghostchat/backlog/1.0.0'

/** What the opener of the stream asks. */
export interface BacklogRequest {
  /** The most timeline events wanted, 0 to 100. The newest ones are answered. */
  limit: number
  /** Whether the roster is wanted: the last presence event of every device. */
  roster: boolean
  /** Only events before this place in the order. */
  before?: Position
}

/** One frame of the answer. */
export type BacklogAnswer =
  | { kind: 'events'; jwts: string[] }
  /** The last frame. `more`: there are older events that did not fit. */
  | { kind: 'done'; more: boolean }
  /** The only frame: ask somebody else, or later. */
  | { kind: 'busy' }

const DONE = '{"done":true,"more":false}'
const DONE_MORE = '{"done":true,"more":true}'
const BUSY = '{"busy":true}'
const OPENING_BRACE = 0x7b

const utf8 = new TextEncoder()
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export function encodeRequest(request: BacklogRequest): Uint8Array<ArrayBuffer> {
  const { limit, roster, before } = request
  const place = before && { timestamp: before.timestamp, author: before.author, id: before.id }
  return utf8.encode(JSON.stringify({ limit, roster, before: place }))
}

/** The request in these bytes, or `undefined` unless they are what {@link encodeRequest} writes. */
export function decodeRequest(data: Uint8Array): BacklogRequest | undefined {
  try {
    const text = strictUtf8.decode(data)
    const value: unknown = JSON.parse(text)
    if (!isRequest(value)) return undefined
    return strictUtf8.decode(encodeRequest(value)) === text ? value : undefined
  } catch {
    return undefined
  }
}

export function encodeAnswer(answer: BacklogAnswer): Uint8Array<ArrayBuffer> {
  if (answer.kind === 'events') return encodeFrame(answer.jwts)
  return utf8.encode(answer.kind === 'busy' ? BUSY : answer.more ? DONE_MORE : DONE)
}

/** The answer in these bytes, or `undefined` when they are none. */
export function decodeAnswer(data: Uint8Array): BacklogAnswer | undefined {
  if (data[0] !== OPENING_BRACE) {
    const jwts = decodeFrame(data)
    return jwts && { kind: 'events', jwts }
  }
  try {
    switch (strictUtf8.decode(data)) {
      case DONE:
        return { kind: 'done', more: false }
      case DONE_MORE:
        return { kind: 'done', more: true }
      case BUSY:
        return { kind: 'busy' }
    }
  } catch {
    // not UTF-8: no answer
  }
  return undefined
}

function isRequest(value: unknown): value is BacklogRequest {
  if (!isRecord(value) || typeof value.roster !== 'boolean') return false
  const { limit, before } = value
  if (typeof limit !== 'number' || !Number.isInteger(limit) || limit < 0 || limit > BACKLOG_MAX_EVENTS)
    return false
  return before === undefined || isPosition(before)
}

function isPosition(value: unknown): value is Position {
  return (
    isRecord(value) &&
    Number.isInteger(value.timestamp) &&
    typeof value.author === 'string' &&
    typeof value.id === 'string'
  )
}
