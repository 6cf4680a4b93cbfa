/** A thread of `main.ts`: runs the seeds it is sent. */
import { parentPort } from 'node:worker_threads'
import { drawScenario } from './draw.ts'
import { simulate } from './simulation.ts'

parentPort?.on('message', ({ seed, peers }: { seed: number; peers: number }) => {
  void simulate(drawScenario(seed, { peers })).then((report) => parentPort?.postMessage(report))
})
