import { GhostChatError } from '../errors.ts'
import { OUTBOX_MAX_EVENTS } from '../limits.ts'
import { toMilliseconds } from '../wire/claims.ts'
import type { SignedEvent } from '../wire/event.ts'
import { encodeFrame } from '../wire/frame.ts'

/** How full a gossip message is made when several events wait. */
const COALESCE_MAX_BYTES = 16 * 1024
const COALESCE_MAX_EVENTS = 32

/**
 * The own messages on their way out, in order. Each is signed before it comes
 * here, so a second attempt is the same event. One that finds nobody waits for
 * the first neighbour; those that wait together leave together.
 */
export class Outbox {
  readonly #publish: (frame: Uint8Array<ArrayBuffer>) => Promise<number>
  readonly #onFate: (event: SignedEvent, fate: 'sent' | 'expired') => void
  readonly #now: () => number
  readonly #waiting: SignedEvent[] = []
  #running: Promise<void> | undefined

  constructor(options: {
    publish: (frame: Uint8Array<ArrayBuffer>) => Promise<number>
    onFate: (event: SignedEvent, fate: 'sent' | 'expired') => void
    now: () => number
  }) {
    this.#publish = options.publish
    this.#onFate = options.onFate
    this.#now = options.now
  }

  /**
   * Waits for an attempt that is under way when there is no place for another event.
   *
   * @throws `outbox-full` when there is none after it either.
   */
  async makeRoom(): Promise<void> {
    if (this.#waiting.length < OUTBOX_MAX_EVENTS) return
    await this.flush()
    if (this.#waiting.length < OUTBOX_MAX_EVENTS) return
    throw new GhostChatError(
      'outbox-full',
      `unable to send; ${OUTBOX_MAX_EVENTS} messages wait for a connection already`,
    )
  }

  /** Takes an event and makes an attempt. Resolves when the attempt is over, with or without success. */
  async add(event: SignedEvent): Promise<void> {
    this.#waiting.push(event)
    await this.flush()
  }

  /** Attempts to send what waits. Never rejects. */
  flush(): Promise<void> {
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  async #run(): Promise<void> {
    this.#dropExpired()
    while (this.#waiting.length > 0) {
      const batch = this.#nextBatch()
      const reached = await this.#publish(encodeFrame(batch.map(({ jwt }) => jwt))).catch(() => 0)
      if (reached === 0) return
      this.#waiting.splice(0, batch.length)
      for (const event of batch) this.#onFate(event, 'sent')
    }
  }

  #nextBatch(): SignedEvent[] {
    const batch: SignedEvent[] = []
    let bytes = 0
    for (const event of this.#waiting) {
      bytes += event.jwt.length + 1
      if (batch.length > 0 && (bytes > COALESCE_MAX_BYTES || batch.length >= COALESCE_MAX_EVENTS)) break
      batch.push(event)
    }
    return batch
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
