import { turn } from '../turn.ts'

/**
 * How many things are read in one task. The smallest RPC takes a microsecond: the others wait for a tenth of a
 * millisecond at the most.
 */
const PER_TASK = 64

/**
 * Reads a source in turns with everything else that waits. What lies in a buffer is read in microtasks only, and until
 * it is empty nothing else happens: whoever sends many small things would hold up everybody.
 */
export async function* inTurns<T>(source: AsyncIterable<T>): AsyncGenerator<T> {
  let count = 0
  for await (const one of source) {
    yield one
    count += 1
    if (count % PER_TASK === 0) await turn()
  }
}
