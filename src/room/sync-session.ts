import type { Clock } from '../clock.ts'
import {
  FRAME_MAX_BYTES,
  FRAME_MAX_EVENTS,
  SYNC_MAX_BYTES,
  SYNC_MAX_DEVICES,
  SYNC_NEWEST_MAX,
  SYNC_STALL_MS,
  SYNC_TIMEOUT_MS,
  SYNC_TURNS_MAX,
  WINDOW_MAX_EVENTS,
} from '../limits.ts'
import type { FrameStream } from '../network/network.ts'
import type { SignedEvent } from '../wire/event.ts'
import { type Bound, decodeSync, encodeSync, type Range, type Turn } from '../wire/sync.ts'
import { isSettled, Reconciler, START } from './reconciler.ts'

/** What a device brings into a comparison. */
export interface SyncContents {
  /** The last event of each device. */
  roster: readonly SignedEvent[]
  timeline: readonly SignedEvent[]
  /** From here on it keeps the timeline, and wants what it misses. */
  floor: Bound
  /** Whether one of these is still to be given away: it may be deleted while the comparison goes on. Default: all are. */
  isCurrent?(event: SignedEvent): boolean
}

/** Takes in events that a peer sent. `rejected`: one of them nobody honest would pass on. */
export type AdmitAll = (jwts: string[]) => Promise<{ rejected: boolean }>

/** Only the newest events before a place, so many at most. */
export interface NewestQuestion {
  limit: number
  before?: Bound
}

/** What a comparison came to. */
export interface SyncOutcome {
  /** What the peer keeps of the timeline begins here. */
  floor: Bound
  /** The peer has events before this place that it did not send: older than was asked for, or too many. */
  restBefore: Bound | undefined
  /** Events were left out on one side because there were too many. */
  isCut: boolean
}

/** The peer does not answer, or not as it should: it is not worth asking again. */
export class SyncRefusal extends Error {}

/**
 * One side of a comparison with a peer, on a stream between the two: each sends
 * the other what it is missing. Whatever comes passes the gate before the next
 * frame is read, so a peer cannot send faster than it is verified.
 */
export class SyncSession {
  /** The ids of what was sent of the timeline: the peer may have had no use for it. */
  readonly sent = new Set<string>()
  readonly #stream: FrameStream
  readonly #clock: Clock
  readonly #contents: SyncContents
  readonly #admitAll: AdmitAll
  readonly #roster: Reconciler<SignedEvent>
  readonly #timeline: Reconciler<SignedEvent>
  readonly #salt: Uint8Array
  readonly #outcome: SyncOutcome = { floor: START, restBefore: undefined, isCut: false }
  /** How many events the peer may still send. */
  #allowance = WINDOW_MAX_EVENTS + SYNC_MAX_DEVICES
  #sentBytes = 0
  #sentDevices = 0
  #turns = 0
  #isOver = false
  #asksNewest = false
  #cancelStall = (): void => {}

  constructor(options: {
    stream: FrameStream
    clock: Clock
    contents: SyncContents
    salt: Uint8Array
    admitAll: AdmitAll
  }) {
    const { contents, salt } = options
    this.#stream = options.stream
    this.#clock = options.clock
    this.#contents = contents
    this.#admitAll = options.admitAll
    this.#salt = salt
    this.#roster = new Reconciler({ items: contents.roster, salt })
    this.#timeline = new Reconciler({ items: contents.timeline, salt, floor: contents.floor })
  }

  /**
   * Opens the comparison. Rejects when the stream breaks; with a
   * {@link SyncRefusal} when the peer is busy, stands still for 10 s, does not
   * end, or sends what the gate rejects: somebody who forges one event is not
   * believed about what it leaves out either. What was admitted before stays.
   */
  open(question?: NewestQuestion): Promise<SyncOutcome> {
    const timeline = question
      ? this.#timeline.openNewest(question.limit, question.before)
      : this.#timeline.open()
    this.#asksNewest = question !== undefined
    if (question) this.#allowance = Math.min(question.limit, SYNC_NEWEST_MAX) + SYNC_MAX_DEVICES
    return this.#guard(async () => {
      const turn = { floor: this.#contents.floor, roster: this.#roster.open(), timeline }
      await this.#stream.send(encodeSync({ kind: 'open', salt: this.#salt, ...turn }))
      return this.#run()
    })
  }

  /** Takes part in a comparison that the peer opened with this turn. Rejects like {@link open}. */
  join(turn: Turn): Promise<SyncOutcome> {
    return this.#guard(async () => {
      await this.#hear(turn)
      return this.#isOver ? this.#outcome : this.#run()
    })
  }

  async #guard(run: () => Promise<SyncOutcome>): Promise<SyncOutcome> {
    const refuse = (reason: string): void => {
      failure ??= new SyncRefusal(reason)
      this.#stream.abort(failure)
    }
    let failure: SyncRefusal | undefined
    const cancel = this.#clock.after(SYNC_TIMEOUT_MS, () => refuse('the comparison took too long'))
    this.#onStall = () => refuse('the peer does not answer')
    this.#progress()
    try {
      return await run()
    } catch (thrown) {
      const error = failure ?? thrown
      this.#stream.abort(error instanceof Error ? error : new Error(String(error)))
      throw error
    } finally {
      cancel()
      this.#cancelStall()
      void this.#stream.close()
    }
  }

  #onStall = (): void => {}

  #progress(): void {
    this.#cancelStall()
    this.#cancelStall = this.#clock.after(SYNC_STALL_MS, () => this.#onStall())
  }

  async #run(): Promise<SyncOutcome> {
    for await (const frame of this.#stream.frames) {
      this.#progress()
      const said = decodeSync(frame)
      if (said?.kind === 'busy') throw new SyncRefusal('the peer is busy')
      if (this.#isOver || said === undefined || said.kind === 'open') {
        throw new SyncRefusal('the peer says what it may not')
      }
      if (said.kind === 'events') await this.#take(said.jwts)
      else if (isOver(said)) return this.#note(said)
      else await this.#hear(said)
    }
    if (!this.#isOver) throw new Error('the comparison broke off')
    return this.#outcome
  }

  async #take(jwts: string[]): Promise<void> {
    this.#allowance -= jwts.length
    if (this.#allowance < 0) throw new SyncRefusal('the peer does not stop sending')
    const { rejected } = await this.#admitAll(jwts)
    if (rejected) throw new SyncRefusal('the peer sent a forged event')
  }

  /** What the peer said in its turn, apart from what it asks. */
  #note({ floor, timeline }: Turn): SyncOutcome {
    this.#outcome.floor = floor
    for (const range of timeline) {
      if (range.kind !== 'rest') continue
      // Who asked for none of the newest is told that there are some: nothing was left out.
      if (range.upper === undefined) this.#outcome.isCut ||= !this.#asksNewest
      else this.#outcome.restBefore = range.upper
    }
    return this.#outcome
  }

  /** Answers a turn of the peer. */
  async #hear(turn: Turn): Promise<void> {
    this.#turns += 2
    if (this.#turns > SYNC_TURNS_MAX) throw new SyncRefusal('the comparison does not end')
    this.#note(turn)
    const roster = this.#roster.answer(turn.roster)
    const timeline = this.#timeline.answer(turn.timeline.map(limited))
    const events = [...this.#newestDevices(roster.send), ...this.#fitting(timeline.send)]
    for (const frame of frames(events)) {
      const jwts = frame.filter((event) => this.#contents.isCurrent?.(event) ?? true).map(({ jwt }) => jwt)
      if (jwts.length === 0) continue
      await this.#stream.send(encodeSync({ kind: 'events', jwts }))
      this.#progress()
    }
    const reply = { floor: this.#contents.floor, roster: roster.reply, timeline: timeline.reply }
    this.#isOver = isOver(reply)
    if (this.#isOver && this.#outcome.isCut) reply.timeline = [{ upper: undefined, kind: 'rest' }]
    const said = encodeSync({ kind: 'turn', ...reply })
    // What honest devices have fits: their lists are short, and long ranges are hashed.
    if (said.length > FRAME_MAX_BYTES) throw new SyncRefusal('the answer to the peer would be too long')
    await this.#stream.send(said)
    this.#progress()
    if (this.#isOver) await this.#stream.close()
  }

  #newestDevices(events: SignedEvent[]): SignedEvent[] {
    const newest = events
      .sort((a, b) => b.timestamp - a.timestamp)
      .slice(0, SYNC_MAX_DEVICES - this.#sentDevices)
    this.#sentDevices += newest.length
    return newest
  }

  /** Those that may still be sent, the newest ones where not all may, oldest first. */
  #fitting(events: SignedEvent[]): SignedEvent[] {
    const fitting: SignedEvent[] = []
    for (const event of events.sort((a, b) => b.timestamp - a.timestamp)) {
      if (this.#sentBytes + event.jwt.length > SYNC_MAX_BYTES) {
        this.#outcome.isCut = true
        break
      }
      this.#sentBytes += event.jwt.length
      fitting.push(event)
      this.sent.add(event.id)
    }
    return fitting.reverse()
  }
}

function isOver({ roster, timeline }: Turn): boolean {
  return isSettled(roster) && isSettled(timeline)
}

function limited(range: Range): Range {
  return range.kind === 'newest' ? { ...range, limit: Math.min(range.limit, SYNC_NEWEST_MAX) } : range
}

/** Events in frames as the wire allows them. */
function* frames(events: readonly SignedEvent[]): Generator<SignedEvent[]> {
  let frame: SignedEvent[] = []
  let bytes = 0
  for (const event of events) {
    const length = event.jwt.length + 1
    if (frame.length > 0 && (bytes + length > FRAME_MAX_BYTES || frame.length === FRAME_MAX_EVENTS)) {
      yield frame
      frame = []
      bytes = 0
    }
    frame.push(event)
    bytes += length
  }
  if (frame.length > 0) yield frame
}
