import type { Clock } from '../clock.ts'
import { GhostChatError } from '../errors.ts'
import { OUTBOX_MAX_EVENTS, RESEND_MS } from '../limits.ts'
import { toMilliseconds } from '../wire/claims.ts'
import type { SignedEvent } from '../wire/event.ts'
import { encodeFrame } from '../wire/frame.ts'
import { ExpiryTimer } from './expiry-timer.ts'

/** How full a gossip message is made when several events wait. */
const COALESCE_MAX_BYTES = 16 * 1024
const COALESCE_MAX_EVENTS = 32

/** How long an event waits for others that are being signed: those that are written together leave together. */
const COALESCE_MS = 10

/** How many messages that nobody has acknowledged are remembered; the oldest one is given up for another. */
const UNACKNOWLEDGED_MAX = 1_000
/** How many of them are sent again at once, the oldest first. */
const AGAIN_MAX = 256

/** What became of an event. */
export type Fate = 'sent' | 'acknowledged' | 'failed'

/** A place in the outbox. */
export interface Place {
  /**
   * Puts the event there and makes an attempt. Resolves when the attempt is over, with or without success. Once the
   * outbox is closed the event has failed.
   */
  fill(event: SignedEvent): Promise<void>
  /** Gives the place up; nothing once it was filled. */
  release(): void
}

/**
 * The own messages on their way out, in order. Each is signed before it comes
 * here, so a second attempt is the same event. One that finds nobody waits for
 * the first neighbour, and what is sent faster than others take it waits its turn;
 * those that wait together leave together. One that was sent
 * is kept until another member is known to have it.
 */
export class Outbox {
  readonly #publish: (frame: Uint8Array<ArrayBuffer>) => Promise<number>
  readonly #onFate: (event: SignedEvent, fate: Fate) => void
  readonly #isOutdone: (event: SignedEvent) => boolean
  readonly #clock: Clock
  readonly #hasNeighbours: () => boolean
  /** How long to wait before a gossip message of so many events, in milliseconds. */
  readonly #pace: (events: number) => number
  readonly #isAlone: () => boolean
  readonly #waiting: SignedEvent[] = []
  /** By id: what was sent and nobody is known to have, the oldest first. */
  readonly #unacknowledged = new Map<string, SignedEvent>()
  /** What of that was sent to somebody. */
  readonly #missed = new Set<string>()
  /** Places for events that are still being signed. */
  #reserved = 0
  /** How many wait for a place, and the turn of the last one. */
  #inLine = 0
  #line: Promise<void> = Promise.resolve()
  /** There may be a place now for the first of them. */
  #wake = (): void => {}
  #running: Promise<void> | undefined
  /** Those who wait for others that are being signed. */
  #gathering: { done: Promise<void>; resolve: (sent: Promise<void>) => void; cancel: () => void } | undefined
  #isClosed = false
  /** What waits for a day has failed. */
  readonly #expiry: ExpiryTimer
  /** Ends the wait for what is sent too fast. */
  #cancelFlush: (() => void) | undefined
  /** … and before another attempt where the network took nothing. */
  #cancelRetry: (() => void) | undefined

  constructor(options: {
    publish: (frame: Uint8Array<ArrayBuffer>) => Promise<number>
    onFate: (event: SignedEvent, fate: Fate) => void
    /** Whether an event was replaced or deleted by a later one, and need not be sent any more. */
    isOutdone: (event: SignedEvent) => boolean
    clock: Clock
    /** Whether there is anybody to send to. */
    hasNeighbours: () => boolean
    /** Takes a place for a gossip message of so many events: 0, or how long until there is one, in milliseconds. */
    pace: (events: number) => number
    /** Whether nobody else is in the room: who comes later asks for what was said before. */
    isAlone: () => boolean
  }) {
    this.#publish = options.publish
    this.#onFate = options.onFate
    this.#isOutdone = options.isOutdone
    this.#clock = options.clock
    this.#hasNeighbours = options.hasNeighbours
    this.#pace = options.pace
    this.#isAlone = options.isAlone
    this.#expiry = new ExpiryTimer(this.#clock, () => this.#dropExpired())
  }

  /**
   * A place for one event. Where all are taken it waits as long as that can
   * change, behind those who wait already. Whoever gets one releases it, filled or not.
   *
   * @throws `outbox-full` when all places are taken by events that find nobody
   */
  async reserve(): Promise<Place> {
    if (this.#inLine === 0 && !this.#isFull) return this.#place()
    this.#inLine += 1
    const leave = (): void => {
      this.#inLine -= 1
    }
    const place = this.#line.then(() => this.#nextPlace())
    this.#line = place.then(leave, leave)
    return place
  }

  get #isFull(): boolean {
    return this.#waiting.length + this.#reserved >= OUTBOX_MAX_EVENTS
  }

  async #nextPlace(): Promise<Place> {
    while (this.#isFull) {
      if (this.#reserved === 0) await this.flush()
      // Places become free: one is being filled, or what waits is sent as fast as others take it.
      if (this.#reserved > 0 || this.#cancelFlush !== undefined) await this.#nextRelease()
      else if (this.#isFull) {
        throw new GhostChatError(
          'outbox-full',
          `unable to send; ${OUTBOX_MAX_EVENTS} messages wait for a connection already`,
        )
      }
    }
    return this.#place()
  }

  #place(): Place {
    this.#reserved += 1
    let isOpen = true
    const release = (): void => {
      if (!isOpen) return
      isOpen = false
      this.#reserved -= 1
      this.#wake()
      if (this.#reserved === 0) this.#gathering?.resolve(this.flush())
    }
    return {
      release,
      fill: async (event) => {
        if (this.#isClosed) this.#onFate(event, 'failed')
        else {
          this.#waiting.push(event)
          this.#expiry.by(toMilliseconds(event.claims.exp))
        }
        release()
        await (this.#isForOthers() ? this.#gather() : this.flush())
      },
    }
  }

  /** Whether others will be there in a moment that fit into the same gossip message. */
  #isForOthers(): boolean {
    return this.#reserved > 0 && this.#waiting.length < COALESCE_MAX_EVENTS && !this.#isClosed
  }

  #gather(): Promise<void> {
    if (this.#gathering === undefined) {
      let resolve = (_sent: Promise<void>): void => {}
      const done = new Promise<void>((settle) => {
        resolve = settle
      })
      const cancel = this.#clock.after(COALESCE_MS, () => resolve(this.flush()))
      this.#gathering = { done, resolve, cancel }
    }
    return this.#gathering.done
  }

  #nextRelease(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }

  /** Attempts to send what waits. Never rejects. */
  flush(): Promise<void> {
    this.#running ??= this.#run()
    const gathering = this.#gathering
    this.#gathering = undefined
    gathering?.cancel()
    gathering?.resolve(this.#running)
    return this.#running
  }

  /** What was sent and nobody is known to have. */
  get unacknowledged(): ReadonlyMap<string, SignedEvent> {
    this.#dropExpiredSent()
    return this.#unacknowledged
  }

  /** Other members have these. Those that are not among {@link unacknowledged} do not matter. */
  acknowledge(ids: Iterable<string>): void {
    for (const id of ids) {
      const event = this.#unacknowledged.get(id)
      if (event === undefined) continue
      this.#forget(id)
      this.#onFate(event, 'acknowledged')
    }
  }

  /**
   * What somebody should have and nobody is known to, together with an event that was not sent yet in
   * each message: gossip passes on nothing it has seen as a whole, and whoever has
   * the messages already shows none of them twice.
   */
  again(event: SignedEvent): Uint8Array<ArrayBuffer>[] {
    const missed = [...this.unacknowledged.values()].filter(
      (sent) => this.#missed.has(sent.id) && !this.#isOutdone(sent),
    )
    const events = missed.slice(0, AGAIN_MAX)
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

  /** Sends nothing any more; what waits has failed. */
  close(): void {
    this.#isClosed = true
    this.#cancelFlush?.()
    this.#cancelRetry?.()
    this.#expiry.cancel()
    for (const event of this.#waiting.splice(0)) this.#onFate(event, 'failed')
    // Whoever waits for others need not any more.
    void this.flush()
  }

  async #run(): Promise<void> {
    // A run that ended in its first step would end before it was noted as the one that is running.
    await Promise.resolve()
    this.#dropExpired()
    this.#dropOutdone()
    while (this.#waiting.length > 0 && this.#hasNeighbours()) {
      const batch = nextBatch(this.#waiting)
      const waitMs = this.#pace(batch.length)
      if (waitMs > 0) {
        this.#cancelFlush ??= this.#clock.after(waitMs, () => {
          this.#cancelFlush = undefined
          void this.flush()
        })
        break
      }
      const reached = await this.#publish(encodeFrame(batch.map(({ jwt }) => jwt))).catch(() => 0)
      if (reached === 0) this.#retryLater()
      if (reached === 0 || this.#isClosed) break
      // One of them may have expired while it was handed over, and has failed then.
      const sent = batch.filter((event) => this.#waiting.includes(event))
      this.#waiting.splice(0, sent.length)
      for (const event of sent) {
        this.#remember(event)
        this.#onFate(event, 'sent')
        this.#wake()
      }
      this.#dropOutdone()
      if (this.#waiting.length > 0 && this.#isForOthers()) {
        void this.#gather()
        break
      }
    }
    if (this.#waiting.length === 0) this.#expiry.cancel()
    // In this very step: an event that comes after it begins a run of its own.
    this.#running = undefined
    // Whoever waits for a place may wait in vain: nobody is there, or it is over.
    this.#wake()
  }

  /** Neighbours that come are told of; that those who are there take something again is not. */
  #retryLater(): void {
    if (this.#isClosed) return
    this.#cancelRetry ??= this.#clock.after(RESEND_MS, () => {
      this.#cancelRetry = undefined
      void this.flush()
    })
  }

  #remember(event: SignedEvent): void {
    this.#unacknowledged.set(event.id, event)
    if (!this.#isAlone()) this.#missed.add(event.id)
    const [oldest] = this.#unacknowledged.values()
    if (this.#unacknowledged.size <= UNACKNOWLEDGED_MAX || oldest === undefined) return
    this.#forget(oldest.id)
    this.#onFate(oldest, 'failed')
  }

  #forget(id: string): void {
    this.#unacknowledged.delete(id)
    this.#missed.delete(id)
  }

  /**
   * What was deleted while it waited is never sent at all. The delete is: somebody may have it by another way. And
   * nobody acknowledges what was deleted since it was sent.
   */
  #dropOutdone(): void {
    for (const sent of this.#unacknowledged.values()) if (this.#isOutdone(sent)) this.#forget(sent.id)
    const kept = this.#waiting.filter((event) => !this.#isOutdone(event))
    this.#waiting.splice(0, this.#waiting.length, ...kept)
    this.#wake()
  }

  #dropExpired(): void {
    const now = this.#clock.now()
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      if (toMilliseconds(first.claims.exp) > now) break
      this.#waiting.shift()
      this.#onFate(first, 'failed')
      this.#wake()
    }
    const [first] = this.#waiting
    this.#expiry.by(first && toMilliseconds(first.claims.exp))
    this.#dropExpiredSent()
  }

  #dropExpiredSent(): void {
    const now = this.#clock.now()
    for (const event of this.#unacknowledged.values()) {
      if (toMilliseconds(event.claims.exp) > now) break
      this.#forget(event.id)
      this.#onFate(event, 'failed')
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
