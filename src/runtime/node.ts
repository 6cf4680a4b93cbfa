import { createFileKeyStore } from './node-key-store.ts'
import type { Runtime } from './runtime.ts'

/** Node: keys in files, and no page. */
export const runtime: Runtime = {
  keyStore: () => createFileKeyStore(),
  watchPage: () => () => {},
}
