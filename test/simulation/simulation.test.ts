import { describe, expect, it } from 'vitest'
import { drawScenario } from './draw.ts'
import { type Attack, type Change, describeScenario, type Manners } from './scenario.ts'
import { simulate } from './simulation.ts'

/** Small rooms are cheap, large ones meet more. */
const PEERS = 12
const RUNS = [
  ...Array.from({ length: 10 }, (_, index) => ({ seed: index + 1, peers: PEERS })),
  // These five meet everything there is.
  ...[275, 13, 112, 54, 257].map((seed) => ({ seed, peers: PEERS })),
  ...Array.from({ length: 3 }, (_, index) => ({ seed: index + 1, peers: 30 })),
]

const ATTACKS: Record<Attack, true> = {
  forge: true,
  replay: true,
  flood: true,
  'flood-invalid': true,
  'garbage-gossip': true,
  'garbage-streams': true,
  future: true,
  equivocate: true,
  'pose-as-peer': true,
  tamper: true,
  'change-nothing': true,
  'change-first': true,
  'edit-twice': true,
  contradict: true,
  'flood-changes': true,
}
const MANNERS: Record<Manners, true> = {
  withholds: true,
  forges: true,
  resurrects: true,
  babbles: true,
  'is-silent': true,
  'never-ends': true,
  'is-busy': true,
}
const CHANGES: Record<Change, true> = { edit: true, delete: true, react: true, unreact: true, trespass: true }

describe('a simulated room', () => {
  it.each(RUNS)('keeps what is promised: seed $seed, $peers peers', { timeout: 60_000 }, async (run) => {
    const { seed, peers } = run
    const { violations, deliveries, tellings, changes } = await simulate(drawScenario(seed, { peers }))
    expect(violations, `again: npm run simulate -- --seed ${seed} --peers ${peers}`).toEqual([])
    expect(deliveries).toBeGreaterThan(100)
    expect(tellings).toBeGreaterThan(10)
    expect(changes).toBeGreaterThan(10)
  })

  it('is the same for the same seed, and another for another', { timeout: 60_000 }, async () => {
    const run = async (seed: number): Promise<string> =>
      (await simulate(drawScenario(seed, { peers: PEERS }))).trace
    const traces = [await run(7), await run(8), await run(7), await run(8)]
    expect(traces[2]).toBe(traces[0])
    expect(traces[3]).toBe(traces[1])
    expect(traces[1]).not.toBe(traces[0])
  })

  it('meets every attack, all manners and every change in this short form', () => {
    const scenarios = RUNS.map(({ seed, peers }) => drawScenario(seed, { peers }))
    const met = new Set<string>([
      ...scenarios.flatMap(({ steps }) =>
        steps.flatMap((step) =>
          step.act === 'attack' ? step.attack : step.act === 'change' ? step.change : [],
        ),
      ),
      ...scenarios.flatMap(({ devices }) => devices.flatMap(({ malice }) => malice?.manners ?? [])),
    ])
    expect(met).toEqual(new Set(Object.keys({ ...ATTACKS, ...MANNERS, ...CHANGES })))
  })

  it('is drawn from its seed, and told in words', () => {
    const scenario = drawScenario(7, { peers: PEERS })
    expect(drawScenario(7, { peers: PEERS })).toEqual(scenario)
    const words = describeScenario(scenario)
    expect(words[0]).toMatch(/^seed 7: \d+ devices of \d+ users/)
    expect(words).toHaveLength(scenario.steps.length + 4)
  })
})
