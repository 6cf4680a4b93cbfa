import type { Random } from '../../../src/random.ts'

/** No chance at all: an input does the same each time. */
export const stillRandom: Random = {
  bytes: (length) => new Uint8Array(length).fill(0x5a),
  fraction: () => 0.4,
}
