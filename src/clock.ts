/** Time, injected so that tests and the simulator can own it. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number
  /** Calls `task` once after `ms` milliseconds. Returns a function that cancels. */
  after(ms: number, task: () => void): () => void
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, task) {
    const timer = setTimeout(task, ms)
    return () => clearTimeout(timer)
  },
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
