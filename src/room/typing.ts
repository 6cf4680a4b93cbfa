import { type Clock, steady } from '../clock.ts'
import { TYPING_MS, TYPING_REPEAT_MS } from '../limits.ts'

/** Who types, and telling the others that the own user does. */
export class Typing {
  readonly #clock: Clock
  /** For the pauses between what is told. */
  readonly #pauses: Clock
  readonly #send: (state: 'start' | 'stop') => void
  readonly #onChange: (dids: string[]) => void
  /** By DID: since when, and what ends the timer. */
  readonly #others = new Map<string, { at: number; cancel: () => void }>()
  /** By DID: when it last stopped, for as long as an earlier start may still come. */
  readonly #endedAt = new Map<string, number>()
  #closed = false
  #toldAt: number | undefined
  #cancelStop = (): void => {}

  constructor(options: {
    clock: Clock
    send: (state: 'start' | 'stop') => void
    onChange: (dids: string[]) => void
  }) {
    this.#clock = options.clock
    this.#pauses = steady(options.clock)
    this.#send = options.send
    this.#onChange = options.onChange
  }

  /** The user pressed a key. Tells the others, at most once in 3 s; it ends by itself after 6 s. */
  keystroke(): void {
    if (this.#closed) return
    const now = this.#pauses.now()
    this.#cancelStop()
    this.#cancelStop = this.#clock.after(TYPING_MS, () => {
      this.#toldAt = undefined
    })
    if (this.#toldAt !== undefined && now - this.#toldAt < TYPING_REPEAT_MS) return
    this.#toldAt = now
    this.#send('start')
  }

  /** The user cleared the field. */
  stop(): void {
    if (this.sent()) this.#send('stop')
  }

  /** A message went out, which says by itself that the typing is over. Answers whether there was any. */
  sent(): boolean {
    const was = this.#toldAt !== undefined
    this.#toldAt = undefined
    this.#cancelStop()
    return was
  }

  /** The DIDs of those who type, the own one never among them. */
  current(): string[] {
    return [...this.#others.keys()]
  }

  /** Somebody else said at `at` that it types, which holds until `until`; nothing if it stopped since. */
  began(did: string, at: number, until: number): void {
    if (this.#closed || at <= (this.#endedAt.get(did) ?? 0)) return
    const known = this.#others.get(did)
    known?.cancel()
    const cancel = this.#clock.after(Math.max(0, until - this.#clock.now()), () => this.ended(did))
    this.#others.set(did, { at, cancel })
    if (known === undefined) this.#onChange(this.current())
  }

  /** Somebody else stopped typing or wrote at `at`, or left. */
  ended(did: string, at?: number): void {
    if (at !== undefined) this.#rememberEnd(did, at)
    const known = this.#others.get(did)
    if (known === undefined || known.at > (at ?? Number.POSITIVE_INFINITY)) return
    known.cancel()
    this.#others.delete(did)
    this.#onChange(this.current())
  }

  /** An earlier start may come after it, but not later than a start lives. */
  #rememberEnd(did: string, at: number): void {
    const now = this.#clock.now()
    this.#endedAt.set(did, Math.max(at, this.#endedAt.get(did) ?? 0))
    for (const [other, endedAt] of this.#endedAt) {
      if (endedAt + TYPING_MS < now) this.#endedAt.delete(other)
    }
  }

  /** Ends all timers. */
  close(): void {
    this.#closed = true
    this.#cancelStop()
    for (const { cancel } of this.#others.values()) cancel()
    this.#others.clear()
  }
}
