/** A process of `main.ts`: runs the seeds it is sent. */
import { drawScenario } from './draw.ts'
import { type Report, simulate } from './simulation.ts'

/** What a worker answers. */
export interface Outcome {
  report: Report
  cpuMs: number
}

process.on('message', ({ seed, peers }: { seed: number; peers: number }) => {
  const before = process.cpuUsage()
  void simulate(drawScenario(seed, { peers })).then((report) => {
    const { user, system } = process.cpuUsage(before)
    const outcome: Outcome = { report, cpuMs: (user + system) / 1000 }
    process.send?.(outcome)
  })
})
// Nobody wants to know any more.
process.on('disconnect', () => process.exit())
