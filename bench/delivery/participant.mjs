/** One who takes part in a measurement, in a process of its own: the server of a peer to compare with, or a client of it. */
import { startProfile, stopProfile } from '../support/profile.mjs'
import { countSockets } from '../support/socket-counter.mjs'
import { quantile } from '../support/stats.mjs'
import { cpuMs, now, serve } from '../support/worker.mjs'

/** How many texts are handed over at once by who says as many as it can: no peer here takes thousands without losing some. */
const AT_ONCE = 100

let client
let heard = 0
let latencies = []
let wake = () => {}

const load = (peer) => import(`../peers/${peer}.mjs`)

serve({
  serve: async (peer) => (await load(peer)).serve(),

  async connect(peer, address, options) {
    client = await (await load(peer)).connect(address, options)
    client.onText((text) => {
      heard += 1
      latencies.push(now() - Number.parseFloat(text))
      wake()
    })
  },

  /** Resolves when this many others are known to be there, where the client can tell. */
  async meet(others) {
    while (client.others !== undefined && client.others() < others) await pause(50)
  },

  /** Begins to count. */
  reset() {
    heard = 0
    latencies = []
  },

  /** Says so many texts of so many bytes: all at once, or so many a second. */
  async talk({ count, bytes, perSecond }) {
    if (perSecond === undefined) {
      for (let number = 0; number < count; number += AT_ONCE) {
        const length = Math.min(AT_ONCE, count - number)
        await client.send(Array.from({ length }, (_, index) => textOf(number + index, bytes)))
        // Time for what waits to be written.
        await new Promise((resolve) => setImmediate(resolve))
      }
      return
    }
    const began = performance.now()
    for (let number = 0; number < count; number += 1) {
      const waitMs = began + (number * 1_000) / perSecond - performance.now()
      if (waitMs > 0) await pause(waitMs)
      void client.send([textOf(number, bytes)])
    }
  },

  /** Resolves when so many texts were heard; answers how long they took, in milliseconds. */
  async hear(count, timeoutMs) {
    const late = setTimeout(() => wake(), timeoutMs)
    const until = performance.now() + timeoutMs
    while (heard < count && performance.now() < until) await new Promise((resolve) => (wake = resolve))
    clearTimeout(late)
    return { heard, p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99) }
  },

  startProfile,
  stopProfile,
  cpuMs,
  bytes: () => countSockets().bytes,
})

/** Begins with when it was said. */
function textOf(number, bytes) {
  return `${now().toFixed(3)} ${number} `.padEnd(bytes, 'x')
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
