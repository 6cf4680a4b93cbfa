/** A GhostNode in a process of its own. */
import { createGhostNode } from './ghostchat.mjs'
import { cpuMs, serve } from './worker.mjs'

const silent = { debug() {}, warn() {} }

serve({
  async start(options = {}) {
    const node = await createGhostNode({
      host: '127.0.0.1',
      port: 0,
      stunPort: false,
      logger: silent,
      ...options,
    })
    return { url: node.url, port: Number(new URL(node.url).port), peerId: node.peerId }
  },
  cpuMs,

  /** In bytes: the whole process, and what is in use after the garbage was collected. */
  memory() {
    globalThis.gc?.()
    const { rss, heapUsed, external } = process.memoryUsage()
    return { rss, used: heapUsed + external }
  },
})
