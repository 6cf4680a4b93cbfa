import type { Clock } from '../clock.ts'
import {
  BACKLOG_BURST,
  BACKLOG_CONCURRENCY,
  BACKLOG_MAX_BYTES,
  BACKLOG_MAX_DEVICES,
  BACKLOG_REFILL_MS,
  BACKLOG_TIMEOUT_MS,
  FRAME_MAX_BYTES,
  FRAME_MAX_EVENTS,
} from '../limits.ts'
import type { FrameStream } from '../network/network.ts'
import { type BacklogRequest, decodeRequest, encodeAnswer } from '../wire/backlog.ts'
import type { Roster } from './roster.ts'
import type { Timeline } from './timeline.ts'

/** Answers other devices that ask for the backlog: with the original JWTs and nothing else. */
export class BacklogServer {
  readonly #clock: Clock
  readonly #roster: Roster
  readonly #timeline: Timeline
  /** By peer id: how much of its burst is used up, and since when. */
  readonly #used = new Map<string, { count: number; since: number }>()
  /** The peers that are being answered, one as often as it is. */
  readonly #serving: string[] = []

  constructor(options: { clock: Clock; roster: Roster; timeline: Timeline }) {
    this.#clock = options.clock
    this.#roster = options.roster
    this.#timeline = options.timeline
  }

  /** Serves one stream. Never rejects. */
  async serve(stream: FrameStream, peerId: string): Promise<void> {
    const cancel = this.#clock.after(BACKLOG_TIMEOUT_MS, () =>
      stream.abort(new Error('backlog answer took too long')),
    )
    try {
      await this.#answer(stream, peerId)
    } catch (thrown) {
      stream.abort(thrown instanceof Error ? thrown : new Error('backlog answer failed'))
    } finally {
      cancel()
    }
  }

  async #answer(stream: FrameStream, peerId: string): Promise<void> {
    for await (const frame of stream.frames) {
      const request = decodeRequest(frame)
      if (request === undefined) throw new Error('malformed backlog request')
      if (this.#isBusyFor(peerId) || !this.#charge(peerId)) {
        await stream.send(encodeAnswer({ kind: 'busy' }))
      } else {
        this.#serving.push(peerId)
        await this.#sendBacklog(stream, request).finally(() => {
          this.#serving.splice(this.#serving.indexOf(peerId), 1)
        })
      }
      await stream.close()
      return
    }
  }

  /** No peer takes more than half of the places: it could be reading slowly on purpose. */
  #isBusyFor(peerId: string): boolean {
    const own = this.#serving.filter((other) => other === peerId).length
    return this.#serving.length >= BACKLOG_CONCURRENCY || own >= BACKLOG_CONCURRENCY / 2
  }

  async #sendBacklog(stream: FrameStream, request: BacklogRequest): Promise<void> {
    const { events, more } = this.#timeline.slice(request.limit, request.before)
    const fitting = newestWithin(
      events.map(({ jwt }) => jwt),
      BACKLOG_MAX_BYTES,
    )
    const presence = request.roster ? this.#roster.snapshot(BACKLOG_MAX_DEVICES) : []
    for (const jwts of frames([...presence, ...fitting])) {
      await stream.send(encodeAnswer({ kind: 'events', jwts }))
    }
    await stream.send(encodeAnswer({ kind: 'done', more: more || fitting.length < events.length }))
  }

  /** Takes one answer from what the peer may have: 4 in a row, then one in 30 s. */
  #charge(peerId: string): boolean {
    const now = this.#clock.now()
    for (const [peer, { count, since }] of this.#used) {
      if (now - since >= count * BACKLOG_REFILL_MS) this.#used.delete(peer)
    }
    const { count, since } = this.#used.get(peerId) ?? { count: 0, since: now }
    const refilled = Math.floor((now - since) / BACKLOG_REFILL_MS)
    if (count - refilled >= BACKLOG_BURST) return false
    this.#used.set(peerId, { count: count - refilled + 1, since: since + refilled * BACKLOG_REFILL_MS })
    return true
  }
}

function newestWithin(jwts: string[], maxBytes: number): string[] {
  let bytes = 0
  let start = jwts.length
  for (let index = jwts.length - 1; index >= 0; index -= 1) {
    bytes += jwts[index]?.length ?? 0
    if (bytes > maxBytes) break
    start = index
  }
  return jwts.slice(start)
}

function* frames(jwts: string[]): Generator<string[]> {
  let frame: string[] = []
  let bytes = 0
  for (const jwt of jwts) {
    if (frame.length > 0 && (bytes + jwt.length + 1 > FRAME_MAX_BYTES || frame.length === FRAME_MAX_EVENTS)) {
      yield frame
      frame = []
      bytes = 0
    }
    frame.push(jwt)
    bytes += jwt.length + 1
  }
  if (frame.length > 0) yield frame
}
