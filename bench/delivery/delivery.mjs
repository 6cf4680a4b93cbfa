/** What it costs to have a text heard: the CPU time of everybody who takes part, for each delivery. */
import { median, round, sum } from '../support/stats.mjs'
import { Worker } from '../support/worker.mjs'

const TEXT_BYTES = 200
/** After the last text was heard: who acknowledges does so within that time. */
const SETTLE_MS = 1_500
const HEAR_TIMEOUT_MS = 120_000

/**
 * @typedef {object} Load
 * @property {number} receivers who hear, and say nothing
 * @property {number} authors who say, and hear the others
 * @property {number} count how many texts they say all together
 * @property {number} warmUp how many before that
 * @property {number | undefined} perSecond how many a second, all together; all at once without
 */

/** One run of one peer. */
export async function measureDelivery(peer, { receivers, authors, count, warmUp, perSecond, profile }) {
  const total = 1 + authors + receivers
  const workers = await Promise.all(
    Array.from({ length: total }, () => Worker.start('delivery/participant.mjs')),
  )
  const [server, ...clients] = workers
  const speakers = clients.slice(0, authors)
  const listeners = clients.slice(authors)
  try {
    const address = await server.call('serve', peer)
    const enter = (client) => client.call('connect', peer, address, { room: 'bench' })
    // One after the other in a few rows: nobody's handshake is late for want of a processor.
    await inRows(clients, 4, enter)
    await Promise.all(clients.map((client) => client.call('meet', clients.length - 1)))
    const all = (name, ...args) => Promise.all(workers.map((worker) => worker.call(name, ...args)))
    const round = async (texts) => {
      await Promise.all(clients.map((client) => client.call('reset')))
      const each = Math.ceil(texts / authors)
      const hears = Promise.all(
        clients.map((client, index) =>
          client.call('hear', index < authors ? each * (authors - 1) : each * authors, HEAR_TIMEOUT_MS),
        ),
      )
      const talk = { count: each, bytes: TEXT_BYTES, ...(perSecond && { perSecond: perSecond / authors }) }
      await Promise.all(speakers.map((speaker) => speaker.call('talk', talk)))
      const heard = await hears
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
      return heard
    }
    await round(warmUp)
    const profiled = profile === undefined ? undefined : workers[profile]
    await profiled?.call('startProfile')
    const before = await all('cpuMs')
    const bytesBefore = await all('bytes')
    const beganAt = performance.now()
    const heard = await round(count)
    const tookMs = performance.now() - beganAt - SETTLE_MS
    const after = await all('cpuMs')
    // Those of the server are the same ones.
    const bytes = sum((await all('bytes')).map((count, index) => count - bytesBefore[index])) / 2
    const hot = await profiled?.call('stopProfile')
    const spent = after.map((ms, index) => ms - before[index])
    const deliveries = sum(heard.map((one) => one.heard))
    const expected = Math.ceil(count / authors) * authors * (clients.length - 1)
    const per = (values) => sum(values) / deliveries
    return {
      ...(hot && { hot }),
      deliveries,
      lost: expected - deliveries,
      cpuUs: per(spent) * 1_000,
      serverUs: per(spent.slice(0, 1)) * 1_000,
      authorsUs: per(spent.slice(1, 1 + authors)) * 1_000,
      receiversUs: per(spent.slice(1 + authors)) * 1_000,
      bytes: bytes / deliveries,
      perSecond: (deliveries / tookMs) * 1_000,
      p50Ms: median(
        listeners.length > 0 ? heard.slice(authors).map(({ p50 }) => p50) : heard.map(({ p50 }) => p50),
      ),
      p99Ms: Math.max(...heard.filter((one) => one.heard > 0).map(({ p99 }) => p99)),
    }
  } finally {
    await Promise.all(workers.map((worker) => worker.stop()))
  }
}

/** The median run of each number. */
export function medianOf(runs) {
  return Object.fromEntries(
    Object.keys(runs[0] ?? {}).map((key) => [key, round(median(runs.map((run) => run[key])), 3)]),
  )
}

async function inRows(items, rows, act) {
  const waiting = [...items]
  const row = async () => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await act(item)
  }
  await Promise.all(Array.from({ length: rows }, row))
}
