import { buildPackageIfStale, buildPageIfStale } from '../../scripts/build-if-stale.mjs'
import { whyNoLaboratory } from '../matrix/lab/requirements.ts'

export default async function globalSetup(): Promise<void> {
  buildPackageIfStale()
  buildPageIfStale()
  const reason = await whyNoLaboratory()
  if (reason !== undefined) console.log(`the network matrix does not run here: ${reason}`)
}
