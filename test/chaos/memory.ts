import { readdirSync } from 'node:fs'

/** What a process uses. */
export interface MemorySample {
  /** Heap and buffers that are in use, without garbage, in bytes. */
  usedBytes: number
  /** Timers, sockets and what else keeps a process alive. */
  resources: number
  /** Open files and sockets. */
  descriptors: number
}

/** Measures this process, which was started with `--expose-gc`. */
export function sampleMemory(): MemorySample {
  globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return {
    usedBytes: heapUsed + external,
    resources: process.getActiveResourcesInfo().length,
    descriptors: readdirSync('/proc/self/fd').length,
  }
}
