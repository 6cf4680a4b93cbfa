import { type Clock, steady } from '../clock.ts'
import { SYNC_BURST, SYNC_CONCURRENCY, SYNC_REFILL_MS, SYNC_STALL_MS } from '../limits.ts'
import type { FrameStream } from '../network/network.ts'
import { decodeSync, encodeSync, type SyncFrame } from '../wire/sync.ts'
import { type AdmitAll, type SyncContents, SyncSession } from './sync-session.ts'

/** Takes part in the comparisons that other devices open. */
export class SyncServer {
  readonly #clock: Clock
  readonly #contents: () => SyncContents
  readonly #admitAll: (jwts: string[], peerId: string) => ReturnType<AdmitAll>
  /** By peer id: how much of its burst is used up, and since when. */
  readonly #used = new Map<string, { count: number; since: number }>()
  /** The peers that are being served, one as often as it is. */
  readonly #serving: string[] = []
  readonly #streams = new Set<FrameStream>()

  constructor(options: {
    clock: Clock
    contents: () => SyncContents
    admitAll: (jwts: string[], peerId: string) => ReturnType<AdmitAll>
  }) {
    this.#clock = steady(options.clock)
    this.#contents = options.contents
    this.#admitAll = options.admitAll
  }

  /** Serves one stream. Never rejects. */
  async serve(stream: FrameStream, peerId: string): Promise<void> {
    this.#streams.add(stream)
    try {
      const opening = await this.#opening(stream)
      if (opening === undefined) {
        await stream.close()
        return
      }
      if (this.#isBusyFor(peerId) || !this.#charge(peerId)) {
        await stream.send(encodeSync({ kind: 'busy' }))
        await stream.close()
        return
      }
      this.#serving.push(peerId)
      try {
        await this.#compare(stream, peerId, opening)
      } finally {
        this.#serving.splice(this.#serving.indexOf(peerId), 1)
      }
    } catch (thrown) {
      stream.abort(thrown instanceof Error ? thrown : new Error('the comparison failed'))
    } finally {
      this.#streams.delete(stream)
    }
  }

  /** Ends what is being compared. */
  close(): void {
    for (const stream of this.#streams) stream.abort(new Error('the room was left'))
  }

  /** Who asks nothing holds no place meanwhile. */
  async #opening(stream: FrameStream): Promise<Extract<SyncFrame, { kind: 'open' }> | undefined> {
    const cancel = this.#clock.after(SYNC_STALL_MS, () => stream.abort(new Error('nothing was asked')))
    try {
      const first = await stream.frames[Symbol.asyncIterator]().next()
      if (first.done) return undefined
      const said = decodeSync(first.value)
      if (said?.kind !== 'open') throw new Error('the peer does not open a comparison')
      return said
    } finally {
      cancel()
    }
  }

  async #compare(
    stream: FrameStream,
    peerId: string,
    opening: Extract<SyncFrame, { kind: 'open' }>,
  ): Promise<void> {
    const session = new SyncSession({
      stream,
      clock: this.#clock,
      contents: this.#contents(),
      salt: opening.salt,
      admitAll: (jwts) => this.#admitAll(jwts, peerId),
    })
    await session.join(opening)
  }

  /** No peer takes more than half of the places: it could be reading slowly on purpose. */
  #isBusyFor(peerId: string): boolean {
    const own = this.#serving.filter((other) => other === peerId).length
    return this.#serving.length >= SYNC_CONCURRENCY || own >= SYNC_CONCURRENCY / 2
  }

  /** Takes one comparison from what the peer may have: some in a row, then one in a while. */
  #charge(peerId: string): boolean {
    const now = this.#clock.now()
    for (const [peer, { count, since }] of this.#used) {
      if (now - since >= count * SYNC_REFILL_MS) this.#used.delete(peer)
    }
    const { count, since } = this.#used.get(peerId) ?? { count: 0, since: now }
    const refilled = Math.floor((now - since) / SYNC_REFILL_MS)
    if (count - refilled >= SYNC_BURST) return false
    this.#used.set(peerId, { count: count - refilled + 1, since: since + refilled * SYNC_REFILL_MS })
    return true
  }
}
