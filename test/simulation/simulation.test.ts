import { describe, expect, it } from 'vitest'
import { drawScenario } from './draw.ts'
import { INVARIANTS } from './invariants.ts'
import { describeScenario } from './scenario.ts'
import { simulate } from './simulation.ts'

/** Small rooms are cheap, large ones meet more. */
const PEERS = 12
const RUNS = [
  ...Array.from({ length: 16 }, (_, index) => ({ seed: index + 1, peers: PEERS })),
  ...Array.from({ length: 3 }, (_, index) => ({ seed: index + 1, peers: 30 })),
]

describe('a simulated room', () => {
  it.each(RUNS)('keeps what is promised: seed $seed, $peers peers', { timeout: 60_000 }, async (run) => {
    const { seed, peers } = run
    const { violations, deliveries, tellings } = await simulate(drawScenario(seed, { peers }))
    const broken = violations.filter(({ invariant }) => INVARIANTS[invariant] === 'now')
    expect(broken, `again: npm run simulate -- --seed ${seed} --peers ${peers}`).toEqual([])
    expect(deliveries).toBeGreaterThan(100)
    expect(tellings).toBeGreaterThan(10)
  })

  it('is the same for the same seed, and another for another', { timeout: 60_000 }, async () => {
    const run = async (seed: number): Promise<string> =>
      (await simulate(drawScenario(seed, { peers: PEERS }))).trace
    const traces = [await run(7), await run(8), await run(7), await run(8)]
    expect(traces[2]).toBe(traces[0])
    expect(traces[3]).toBe(traces[1])
    expect(traces[1]).not.toBe(traces[0])
  })

  it('is drawn from its seed, and told in words', () => {
    const scenario = drawScenario(7, { peers: PEERS })
    expect(drawScenario(7, { peers: PEERS })).toEqual(scenario)
    const words = describeScenario(scenario)
    expect(words[0]).toMatch(/^seed 7: \d+ devices of \d+ users/)
    expect(words).toHaveLength(scenario.steps.length + 4)
  })
})
