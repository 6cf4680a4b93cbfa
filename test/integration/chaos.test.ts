import { beforeAll, expect, test } from 'vitest'
import { buildPackageIfStale } from '../../scripts/build-if-stale.mjs'
import { whyNoHalves } from '../chaos/halves.ts'
import { TRIALS } from '../chaos/trials.ts'

// People and nodes are processes of their own, which load the package as it is built.
beforeAll(buildPackageIfStale, 120_000)

const noHalves = await whyNoHalves()

test.for(Object.entries(TRIALS))(
  '%s, in its short form: who is honest loses nothing',
  { timeout: 120_000 },
  async ([name, trial], { skip }) => {
    if (name === 'partition' && noHalves !== undefined) {
      if (process.env['CI'] !== undefined && process.getuid?.() === 0) throw new Error(noHalves)
      skip(noHalves)
    }
    const { result, failures } = await trial.run(true, () => {})
    expect({ failures, result }).toEqual({ failures: [], result })
  },
)
