import { afterAll, describe, expect, it } from 'vitest'
import { keepFinding } from './finding.ts'
import { PlainFuzzer } from './plain.ts'
import { targets } from './targets/index.ts'

/** New inputs a target. */
const RUNS = 1_500
/** Others than those of a long run, and each time the same. */
const SEED = 1

const fuzzer = new PlainFuzzer()
afterAll(() => fuzzer.close())

describe('whatever strangers send', () => {
  it.each(targets)('breaks no promise: $name', { timeout: 60_000 }, async ({ name }) => {
    const { finding, inputs } = await fuzzer.tryOut(name, RUNS, SEED)
    expect(finding && keepFinding(name, finding)).toBe(undefined)
    expect(inputs).toBeGreaterThan(RUNS)
  })
})
