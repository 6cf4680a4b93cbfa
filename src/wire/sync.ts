import { FRAME_MAX_BYTES } from '../limits.ts'
import { decodeFrame, encodeFrame } from './frame.ts'

/** The protocol of the stream on which two devices compare what they have. */
export const SYNC_PROTOCOL = '/ghostchat/sync/1.0.0'

/** How many bytes of a hash stand for an event, or for a range of them. */
export const DIGEST_BYTES = 8
/** How many bytes of salt the opener chooses. */
export const SALT_BYTES = 16

/**
 * A place between two events: those before it have an earlier timestamp, or the
 * same one and an id that sorts before `prefix`.
 */
export interface Bound {
  /** Milliseconds since the Unix epoch. */
  timestamp: number
  /** The beginning of an id, as short as the place allows. */
  prefix: string
}

/** {@link DIGEST_BYTES} bytes, each one a character, so that equal ones are equal. */
export type Digest = string

/** What a side says of the events from the bound before up to `upper`; `undefined` is the end of time. */
export type Range = { upper: Bound | undefined } & (
  | /** Nothing, or nothing more. */ { kind: 'same' }
  | /** There are events that are not sent: older than was asked for, or too many. */ { kind: 'rest' }
  | /** A hash over all ids here. */ { kind: 'fingerprint'; fingerprint: Digest }
  | /** All events here, each by a hash of its id. */ { kind: 'ids'; ids: Digest[] }
  | /** Of the events that were listed, these are missing. */ { kind: 'want'; ids: Digest[] }
  | /** The newest events here are asked for, so many of them. */ { kind: 'newest'; limit: number }
)

/** What one side says in its turn, after the events it sends. */
export interface Turn {
  /** What this device keeps of the timeline begins here. */
  floor: Bound
  roster: Range[]
  timeline: Range[]
}

/** One frame of the stream. */
export type SyncFrame =
  /** The first frame: a turn, and the salt of all hashes. */
  | ({ kind: 'open'; salt: Uint8Array } & Turn)
  | ({ kind: 'turn' } & Turn)
  | { kind: 'events'; jwts: string[] }
  /** The only frame of an answer: ask somebody else, or later. */
  | { kind: 'busy' }

const TAGS = { open: 1, turn: 2, busy: 3 } as const
const KINDS = ['same', 'rest', 'fingerprint', 'ids', 'want', 'newest'] as const
/** A JWT begins with an `e`; no tag is as high. */
const LOWEST_JWT_BYTE = 0x41
const PREFIX_MAX = 59
const PREFIX = /^[a-z2-7]*$/

/** The bytes of a frame. The caller keeps it below 32 KiB. */
export function encodeSync(frame: SyncFrame): Uint8Array<ArrayBuffer> {
  if (frame.kind === 'events') return encodeFrame(frame.jwts)
  const bytes: number[] = [TAGS[frame.kind]]
  if (frame.kind !== 'busy') {
    if (frame.kind === 'open') bytes.push(...frame.salt)
    writeVarint(bytes, frame.floor.timestamp)
    writePrefix(bytes, frame.floor.prefix)
    writeRanges(bytes, frame.roster)
    writeRanges(bytes, frame.timeline)
  }
  return Uint8Array.from(bytes)
}

/** The frame in these bytes, or `undefined` when they are none, or a byte is left over. */
export function decodeSync(data: Uint8Array): SyncFrame | undefined {
  const [tag = 0] = data
  if (tag >= LOWEST_JWT_BYTE) {
    const jwts = decodeFrame(data)
    return jwts && { kind: 'events', jwts }
  }
  if (data.length > FRAME_MAX_BYTES) return undefined
  try {
    const reader = new Reader(data.subarray(1))
    const frame = readFrame(tag, reader)
    return reader.isAtEnd ? frame : undefined
  } catch (thrown) {
    if (thrown instanceof Malformed) return undefined
    throw thrown
  }
}

function readFrame(tag: number, reader: Reader): SyncFrame | undefined {
  switch (tag) {
    case TAGS.open: {
      const salt = reader.bytes(SALT_BYTES).slice()
      return { kind: 'open', salt, ...readTurn(reader) }
    }
    case TAGS.turn:
      return { kind: 'turn', ...readTurn(reader) }
    case TAGS.busy:
      return { kind: 'busy' }
  }
  return undefined
}

function readTurn(reader: Reader): Turn {
  const floor = { timestamp: reader.varint(), prefix: readPrefix(reader) }
  return { floor, roster: readRanges(reader), timeline: readRanges(reader) }
}

function writeRanges(bytes: number[], ranges: readonly Range[]): void {
  writeVarint(bytes, ranges.length)
  let timestamp = 0
  for (const range of ranges) {
    if (range.upper === undefined) writeVarint(bytes, 0)
    else {
      writeVarint(bytes, range.upper.timestamp - timestamp + 1)
      writePrefix(bytes, range.upper.prefix)
      timestamp = range.upper.timestamp
    }
    bytes.push(KINDS.indexOf(range.kind))
    if (range.kind === 'fingerprint') writeDigest(bytes, range.fingerprint)
    else if (range.kind === 'newest') writeVarint(bytes, range.limit)
    else if (range.kind === 'ids' || range.kind === 'want') {
      writeVarint(bytes, range.ids.length)
      for (const id of range.ids) writeDigest(bytes, id)
    }
  }
}

/** Ranges are in order, and the last one reaches to the end of time. */
function readRanges(reader: Reader): Range[] {
  const ranges: Range[] = []
  let last: Bound | undefined = { timestamp: 0, prefix: '' }
  for (let count = reader.varint(); count > 0; count -= 1) {
    const upper = readUpper(reader, last)
    ranges.push(readRange(reader, upper))
    last = upper
  }
  if (ranges.length > 0 && last !== undefined) throw new Malformed()
  return ranges
}

function readUpper(reader: Reader, last: Bound | undefined): Bound | undefined {
  if (last === undefined) throw new Malformed()
  const step = reader.varint()
  if (step === 0) return undefined
  const upper = { timestamp: last.timestamp + step - 1, prefix: readPrefix(reader) }
  if (!Number.isSafeInteger(upper.timestamp) || (step === 1 && upper.prefix <= last.prefix)) {
    throw new Malformed()
  }
  return upper
}

function readRange(reader: Reader, upper: Bound | undefined): Range {
  const kind = KINDS[reader.byte()]
  if (kind === undefined) throw new Malformed()
  if (kind === 'same' || kind === 'rest') return { upper, kind }
  if (kind === 'fingerprint') return { upper, kind, fingerprint: readDigest(reader) }
  if (kind === 'newest') return { upper, kind, limit: reader.varint() }
  const ids: Digest[] = []
  for (let count = reader.varint(); count > 0; count -= 1) ids.push(readDigest(reader))
  return { upper, kind, ids }
}

function writePrefix(bytes: number[], prefix: string): void {
  bytes.push(prefix.length)
  for (const character of prefix) bytes.push(character.charCodeAt(0))
}

function readPrefix(reader: Reader): string {
  const length = reader.byte()
  const prefix = length > PREFIX_MAX ? undefined : String.fromCharCode(...reader.bytes(length))
  if (prefix === undefined || !PREFIX.test(prefix)) throw new Malformed()
  return prefix
}

function writeDigest(bytes: number[], digest: Digest): void {
  for (const character of digest) bytes.push(character.charCodeAt(0))
}

function readDigest(reader: Reader): Digest {
  return String.fromCharCode(...reader.bytes(DIGEST_BYTES))
}

function writeVarint(bytes: number[], value: number): void {
  let rest = value
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80)
  bytes.push(rest)
}

class Malformed extends Error {}

class Reader {
  readonly #data: Uint8Array
  #at = 0

  constructor(data: Uint8Array) {
    this.#data = data
  }

  get isAtEnd(): boolean {
    return this.#at === this.#data.length
  }

  byte(): number {
    return this.bytes(1)[0] ?? 0
  }

  bytes(length: number): Uint8Array {
    if (length > this.#data.length - this.#at) throw new Malformed()
    this.#at += length
    return this.#data.subarray(this.#at - length, this.#at)
  }

  varint(): number {
    let value = 0
    for (let factor = 1; factor <= 0x80 ** 7; factor *= 0x80) {
      const byte = this.byte()
      value += (byte & 0x7f) * factor
      if (!Number.isSafeInteger(value)) break
      // A number has one spelling.
      if (byte === 0 && factor > 1) break
      if (byte < 0x80) return value
    }
    throw new Malformed()
  }
}
