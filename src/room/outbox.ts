import { GhostChatError } from '../errors.ts'
import { OUTBOX_MAX_EVENTS } from '../limits.ts'
import { toMilliseconds } from '../wire/claims.ts'
import type { SignedEvent } from '../wire/event.ts'
import { encodeFrame } from '../wire/frame.ts'

/** How full a gossip message is made when several events wait. */
const COALESCE_MAX_BYTES = 16 * 1024
const COALESCE_MAX_EVENTS = 32

/** How long a message that was sent is remembered, to be sent again when whoever took it turns out to be gone. */
const REMEMBERED_MS = 60_000
/** How many of them. */
const REMEMBERED_MAX = 256

/** A place in the outbox. */
export interface Place {
  /** Puts the event there and makes an attempt. Resolves when the attempt is over, with or without success. */
  fill(event: SignedEvent): Promise<void>
  /** Gives the place up; nothing once it was filled. */
  release(): void
}

/**
 * The own messages on their way out, in order. Each is signed before it comes
 * here, so a second attempt is the same event. One that finds nobody waits for
 * the first neighbour; those that wait together leave together.
 */
export class Outbox {
  readonly #publish: (frame: Uint8Array<ArrayBuffer>) => Promise<number>
  readonly #onFate: (event: SignedEvent, fate: 'sent' | 'expired') => void
  readonly #isOutdone: (event: SignedEvent) => boolean
  readonly #now: () => number
  readonly #waiting: SignedEvent[] = []
  /** What was sent lately, the oldest first. */
  readonly #sent: { event: SignedEvent; at: number }[] = []
  /** Places for events that are still being signed. */
  #reserved = 0
  /** Those who wait for a place, in the order they came. */
  readonly #releases: (() => void)[] = []
  #running: Promise<void> | undefined
  #isHolding = false
  #isClosed = false

  constructor(options: {
    publish: (frame: Uint8Array<ArrayBuffer>) => Promise<number>
    onFate: (event: SignedEvent, fate: 'sent' | 'expired') => void
    /** Whether an event was replaced or deleted by a later one, and need not be sent any more. */
    isOutdone: (event: SignedEvent) => boolean
    now: () => number
  }) {
    this.#publish = options.publish
    this.#onFate = options.onFate
    this.#isOutdone = options.isOutdone
    this.#now = options.now
  }

  /**
   * A place for one event. Where all are taken it waits as long as that can
   * change. Whoever gets one releases it, filled or not.
   *
   * @throws `outbox-full` when all places are taken by events that find nobody
   */
  async reserve(): Promise<Place> {
    while (this.#waiting.length + this.#reserved >= OUTBOX_MAX_EVENTS) {
      if (this.#reserved > 0) {
        await this.#nextRelease()
        continue
      }
      await this.flush()
      if (this.#waiting.length < OUTBOX_MAX_EVENTS) continue
      this.#releases.shift()?.()
      throw new GhostChatError(
        'outbox-full',
        `unable to send; ${OUTBOX_MAX_EVENTS} messages wait for a connection already`,
      )
    }
    this.#reserved += 1
    let isOpen = true
    const release = (): void => {
      if (!isOpen) return
      isOpen = false
      this.#reserved -= 1
      this.#releases.shift()?.()
    }
    return {
      release,
      fill: (event) => {
        this.#waiting.push(event)
        release()
        return this.flush()
      },
    }
  }

  #nextRelease(): Promise<void> {
    return new Promise((resolve) => this.#releases.push(resolve))
  }

  /** Attempts to send what waits. Never rejects. */
  flush(): Promise<void> {
    this.#running ??= this.#run()
    return this.#running
  }

  /**
   * What was sent in the last minute, together with an event that was not sent yet
   * in each message: gossip passes on nothing it has seen as a whole, and whoever
   * has the messages already shows none of them twice.
   */
  again(event: SignedEvent): Uint8Array<ArrayBuffer>[] {
    this.#forget()
    const events = this.#sent.map((sent) => sent.event)
    const frames: Uint8Array<ArrayBuffer>[] = []
    while (events.length > 0) {
      const batch = nextBatch([event, ...events])
      // One that leaves no room for the other event goes alone.
      const isAlone = batch.length === 1
      frames.push(encodeFrame((isAlone ? events.slice(0, 1) : batch).map(({ jwt }) => jwt)))
      events.splice(0, isAlone ? 1 : batch.length - 1)
    }
    return frames
  }

  /** Sends nothing any more; what waits has expired. */
  close(): void {
    this.#isClosed = true
    for (const event of this.#waiting.splice(0)) this.#onFate(event, 'expired')
  }

  async #run(): Promise<void> {
    // A run that ended in its first step would end before it was noted as the one that is running.
    await Promise.resolve()
    this.#dropExpired()
    this.#dropOutdone()
    this.#forget()
    while (this.#waiting.length > 0) {
      const batch = nextBatch(this.#waiting)
      const reached = await this.#publish(encodeFrame(batch.map(({ jwt }) => jwt))).catch(() => 0)
      if (reached === 0 || this.#isClosed) break
      this.#waiting.splice(0, batch.length)
      for (const event of batch) {
        this.#sent.push({ event, at: this.#now() })
        this.#onFate(event, 'sent')
        this.#releases.shift()?.()
      }
      this.#dropOutdone()
    }
    // In this very step: an event that comes after it begins a run of its own.
    this.#running = undefined
  }

  /** Whoever took what was sent in the last minute may be gone with it: it is kept until {@link release}. */
  hold(): void {
    this.#forget()
    this.#isHolding = true
  }

  /** What was kept has been sent again. */
  release(): void {
    this.#isHolding = false
  }

  #forget(): void {
    const oldest = this.#isHolding ? 0 : this.#now() - REMEMBERED_MS
    const kept = this.#sent
      .filter(({ at, event }) => at >= oldest && !this.#isOutdone(event))
      .slice(-REMEMBERED_MAX)
    this.#sent.splice(0, this.#sent.length, ...kept)
  }

  /** What was deleted while it waited is never sent at all. The delete is: somebody may have it by another way. */
  #dropOutdone(): void {
    const kept = this.#waiting.filter((event) => !this.#isOutdone(event))
    for (let gone = this.#waiting.length - kept.length; gone > 0; gone -= 1) this.#releases.shift()?.()
    this.#waiting.splice(0, this.#waiting.length, ...kept)
  }

  #dropExpired(): void {
    const now = this.#now()
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      if (toMilliseconds(first.claims.exp) > now) return
      this.#waiting.shift()
      this.#onFate(first, 'expired')
    }
  }
}

/** As many events from the first on as fit into one gossip message; one at least. */
function nextBatch(events: readonly SignedEvent[]): SignedEvent[] {
  const batch: SignedEvent[] = []
  let bytes = 0
  for (const event of events) {
    bytes += event.jwt.length + 1
    if (batch.length > 0 && (bytes > COALESCE_MAX_BYTES || batch.length >= COALESCE_MAX_EVENTS)) break
    batch.push(event)
  }
  return batch
}
