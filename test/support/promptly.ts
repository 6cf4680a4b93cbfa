/** How long one input may keep the thread: whoever can make it longer can hold up a device. */
const PROMPT_MS = 50
/** How often what took too long is tried again: the engine compiles and collects garbage now and then. */
const TRIES = 8

/**
 * The same, but it throws where it takes longer than 50 ms each time. It has to give the same answer whenever it is
 * asked. Around the predicate of a property it holds for each input.
 */
export function promptly<A extends unknown[], R>(act: (...args: A) => R): (...args: A) => R {
  return (...args) => {
    const attempt = (tries: number, least: number): R => {
      if (tries > TRIES) throw new Error(`it takes ${Math.round(least)} ms, and ${PROMPT_MS} are allowed`)
      const began = busyMs()
      const judge = <T>(value: T, again: (least: number) => T): T => {
        const tookMs = busyMs() - began
        return tookMs <= PROMPT_MS ? value : again(Math.min(least, tookMs))
      }
      const again = (shortest: number): R => attempt(tries + 1, shortest)
      const result = act(...args)
      if (!(result instanceof Promise)) return judge(result, again)
      return result.then((value) => judge(value, again as () => never)) as R
    }
    return attempt(0, Number.POSITIVE_INFINITY)
  }
}

/** How long this thread has been at work: what other processes do meanwhile does not count. */
function busyMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1_000
}
