/** Time, injected so that tests and the simulator can own it. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number
  /** Calls `task` once after `ms` milliseconds. Returns a function that cancels. */
  after(ms: number, task: () => void): () => void
}

/** The longest a timer can wait; one that is set to more is due at once. */
const TIMER_MAX_MS = 2 ** 31 - 1

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, task) {
    const timer = setTimeout(task, Math.min(ms, TIMER_MAX_MS))
    return () => clearTimeout(timer)
  },
}

/**
 * The same clock, for lengths of time: where it is set back it stands still in that moment and goes on from there. What was
 * noted a moment ago would otherwise lie in the future for as long as it was set back.
 */
export function steady(clock: Clock): Clock {
  let offset = 0
  let last = Number.NEGATIVE_INFINITY
  return {
    now() {
      const now = clock.now()
      if (now + offset < last) offset = last - now
      last = now + offset
      return last
    },
    after: (ms, task) => clock.after(ms, task),
  }
}

/**
 * Calls `task` every `ms` milliseconds until the returned function is called.
 * The next turn is set after the task ran, so turns never pile up.
 */
export function every(clock: Clock, ms: number, task: () => void): () => void {
  let cancel = clock.after(ms, turn)
  function turn(): void {
    cancel = clock.after(ms, turn)
    task()
  }
  return () => cancel()
}
