import { sha256 } from '@noble/hashes/sha2.js'
import { type Bound, DIGEST_BYTES, type Digest, type Range } from '../wire/sync.ts'

/** What is compared: an event, of which the id and the time are all that matters. */
export interface Item {
  readonly id: string
  /** Milliseconds since the Unix epoch. */
  readonly timestamp: number
}

/** Into how many parts a range is split in which the two sides differ. */
const BRANCHES = 16
/** A range of so few events is listed: splitting it further would take more bytes. */
const LIST_MAX = 16

/** Before everything. */
export const START: Bound = { timestamp: 0, prefix: '' }

/** A range by the bounds of it; the upper one is not in it. */
interface Span {
  lower: Bound
  upper: Bound | undefined
}

/**
 * One side of a comparison of two sets of events: hashes of ranges first, and only
 * where these differ, shorter ranges, and at last the ids. What it costs grows
 * with the difference, and with the logarithm of the whole. Pure: the caller
 * carries the ranges to the other side and back.
 *
 * The hashes are salted: without, somebody could make two events whose short
 * hashes are equal, and so keep one of them from whoever has the other.
 */
export class Reconciler<T extends Item> {
  readonly #items: readonly T[]
  readonly #salt: Uint8Array
  readonly #floor: Bound
  /** By id. */
  readonly #digests = new Map<string, Digest>()
  readonly #byDigest = new Map<Digest, T>()

  /** @param options.floor what lies before is neither sent nor asked for */
  constructor(options: { items: Iterable<T>; salt: Uint8Array; floor?: Bound }) {
    const { items, salt, floor = START } = options
    this.#salt = salt
    this.#floor = floor
    this.#items = [...items].filter((item) => !isBefore(item, floor)).sort(compareItems)
    for (const item of this.#items) {
      const digest = this.#hash(item.id)
      this.#digests.set(item.id, digest)
      this.#byDigest.set(digest, item)
    }
  }

  /** The first turn: what this side has. */
  open(): Range[] {
    return [...this.#skipToFloor(START), ...this.#describe({ lower: this.#floor, upper: undefined })]
  }

  /** The first turn of who wants the newest events before a place, so many at most. */
  openNewest(limit: number, before?: Bound): Range[] {
    const newest: Range = { upper: before, kind: 'newest', limit }
    return before === undefined ? [newest] : [newest, { upper: undefined, kind: 'same' }]
  }

  /** Answers a turn of the other side: what to send, and what to say in return. */
  answer(ranges: readonly Range[]): { send: T[]; reply: Range[] } {
    const send: T[] = []
    const reply: Range[] = []
    let lower = START
    for (const range of ranges) {
      reply.push(...this.#answerRange(lower, range, send))
      lower = range.upper ?? lower
    }
    return { send, reply: joined(reply) }
  }

  #answerRange(lower: Bound, range: Range, send: T[]): Range[] {
    const { upper } = range
    const span = { lower: latest(lower, this.#floor), upper }
    if (upper !== undefined && compareBounds(upper, span.lower) <= 0) return [{ upper, kind: 'same' }]
    const skipped = this.#skipToFloor(lower)
    const own = this.#within(span)
    switch (range.kind) {
      case 'same':
      case 'rest':
        return [{ upper, kind: 'same' }]
      case 'fingerprint':
        if (this.#fingerprint(own) === range.fingerprint) return [{ upper, kind: 'same' }]
        return [...skipped, ...this.#describe(span)]
      case 'ids': {
        // What the other side lists from before the floor cannot be told from what is missing here.
        if (skipped.length > 0 && range.ids.length > 0) return [...skipped, this.#list(span)]
        const theirs = new Set(range.ids)
        send.push(...own.filter((item) => !theirs.has(this.#digestOf(item))))
        const ids = range.ids.filter((id) => !this.#byDigest.has(id))
        return [ids.length === 0 ? { upper, kind: 'same' } : { upper, kind: 'want', ids }]
      }
      case 'want': {
        const wanted = new Set(range.ids)
        send.push(...own.filter((item) => wanted.has(this.#digestOf(item))))
        return [{ upper, kind: 'same' }]
      }
      case 'newest': {
        const newest = range.limit === 0 ? [] : own.slice(-range.limit)
        send.push(...newest)
        if (newest.length === own.length) return [{ upper, kind: 'same' }]
        const rest: Range = { upper: this.#boundAt(own.length - newest.length, own, span), kind: 'rest' }
        return newest.length === 0 ? [{ ...rest, upper }] : [rest, { upper, kind: 'same' }]
      }
    }
  }

  /** What this side has within a span, in as few bytes as will do. */
  #describe(span: Span): Range[] {
    const items = this.#within(span)
    if (items.length <= LIST_MAX) return [this.#list(span)]
    const ranges: Range[] = []
    for (let branch = 0; branch < BRANCHES; branch += 1) {
      const start = Math.floor((items.length * branch) / BRANCHES)
      const end = Math.floor((items.length * (branch + 1)) / BRANCHES)
      const upper = branch === BRANCHES - 1 ? span.upper : this.#boundAt(end, items, span)
      ranges.push({ upper, kind: 'fingerprint', fingerprint: this.#fingerprint(items.slice(start, end)) })
    }
    return ranges
  }

  #list(span: Span): Range {
    return { upper: span.upper, kind: 'ids', ids: this.#within(span).map((item) => this.#digestOf(item)) }
  }

  #skipToFloor(lower: Bound): Range[] {
    return compareBounds(lower, this.#floor) < 0 ? [{ upper: this.#floor, kind: 'same' }] : []
  }

  /** The shortest bound between an item and the one before it. */
  #boundAt(index: number, items: readonly T[], span: Span): Bound {
    const item = items[index]
    const before = items[index - 1]
    if (item === undefined) return span.upper ?? span.lower
    const { timestamp, id } = item
    if (before === undefined || before.timestamp < timestamp) return { timestamp, prefix: '' }
    let length = 0
    while (before.id[length] === id[length]) length += 1
    return { timestamp, prefix: id.slice(0, length + 1) }
  }

  #within({ lower, upper }: Span): T[] {
    return this.#items.slice(this.#indexOf(lower), upper && this.#indexOf(upper))
  }

  /** The index of the first item that is not before a bound. */
  #indexOf(bound: Bound): number {
    let low = 0
    let high = this.#items.length
    while (low < high) {
      const middle = (low + high) >> 1
      const item = this.#items[middle]
      if (item !== undefined && isBefore(item, bound)) low = middle + 1
      else high = middle
    }
    return low
  }

  #fingerprint(items: readonly T[]): Digest {
    return this.#hash(items.map(({ id }) => id).join(''))
  }

  #digestOf({ id }: T): Digest {
    return this.#digests.get(id) ?? ''
  }

  #hash(text: string): Digest {
    const hash = sha256.create().update(this.#salt).update(new TextEncoder().encode(text)).digest()
    return String.fromCharCode(...hash.subarray(0, DIGEST_BYTES))
  }
}

/** Whether a turn asks nothing of the other side. */
export function isSettled(ranges: readonly Range[]): boolean {
  return ranges.every(({ kind }) => kind === 'same' || kind === 'rest')
}

export function compareBounds(a: Bound, b: Bound): number {
  return a.timestamp - b.timestamp || (a.prefix < b.prefix ? -1 : a.prefix > b.prefix ? 1 : 0)
}

/** Whether an item lies before a bound. */
export function isBefore(item: Item, bound: Bound): boolean {
  return item.timestamp < bound.timestamp || (item.timestamp === bound.timestamp && item.id < bound.prefix)
}

function compareItems(a: Item, b: Item): number {
  return a.timestamp - b.timestamp || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
}

function latest(a: Bound, b: Bound): Bound {
  return compareBounds(a, b) < 0 ? b : a
}

/** Neighbouring ranges of which nothing is said are one. */
function joined(ranges: readonly Range[]): Range[] {
  return ranges.filter(({ kind }, index) => kind !== 'same' || ranges[index + 1]?.kind !== 'same')
}
