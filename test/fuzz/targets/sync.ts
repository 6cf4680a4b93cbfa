import { FRAME_MAX_BYTES } from '../../../src/limits.ts'
import { decodeSync, encodeSync } from '../../../src/wire/sync.ts'
import { syncFrames } from '../support/comparison.ts'
import { areEqual } from '../support/input.ts'
import { promise, type Target } from '../target.ts'

/** A frame of a comparison. */
export const sync: Target = {
  name: 'sync',
  run(input) {
    const said = decodeSync(input)
    if (said === undefined) return
    promise(areEqual(encodeSync(said), input), 'a frame has one form')
    promise(input.length <= FRAME_MAX_BYTES, 'a frame is 32 KiB at the most')
    if (said.kind === 'events' || said.kind === 'busy') return
    for (const ranges of [said.roster, said.timeline]) {
      promise(ranges.length === 0 || ranges.at(-1)?.upper === undefined, 'ranges reach to the end of time')
      promise(
        ranges.slice(0, -1).every(({ upper }) => Number.isSafeInteger(upper?.timestamp)),
        'bounds are at times that can be compared',
      )
    }
  },
  seeds: syncFrames,
  words: ['eyJ', '\n', 'bafkrei', '\u0000\u0000'],
  maxBytes: FRAME_MAX_BYTES + 16,
  runs: 400_000,
}
