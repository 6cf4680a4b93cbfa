import { readdirSync } from 'node:fs'
import { getHeapSpaceStatistics } from 'node:v8'

/** Where V8 keeps what it compiled. That grows for an hour, less and less, as it compiles what is used again and again. */
const CODE_SPACES = /^(code|trusted)_/

/** What a process uses. */
export interface MemorySample {
  /** Heap and buffers that are in use, without garbage and without compiled code, in bytes. */
  usedBytes: number
  /** Of that the buffers. */
  bufferBytes: number
  /** The compiled code. */
  codeBytes: number
  /** Timers, sockets and what else keeps a process alive. */
  resources: number
  /** Open files and sockets. */
  descriptors: number
}

/** Measures this process, which was started with `--expose-gc`. */
export function sampleMemory(): MemorySample {
  // Twice: buffers of what the first one found are freed while the second one runs.
  globalThis.gc?.()
  globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  const code = getHeapSpaceStatistics().filter(({ space_name }) => CODE_SPACES.test(space_name))
  const codeBytes = code.reduce((sum, { space_used_size }) => sum + space_used_size, 0)
  return {
    usedBytes: heapUsed + external - codeBytes,
    bufferBytes: external,
    codeBytes,
    resources: process.getActiveResourcesInfo().length,
    descriptors: readdirSync('/proc/self/fd').length,
  }
}
