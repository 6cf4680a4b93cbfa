import { buildPackageIfStale, buildPageIfStale } from '../../scripts/build-if-stale.mjs'

export default function globalSetup(): void {
  buildPackageIfStale()
  buildPageIfStale()
}
