/** What a delivery costs, beside others who do the same work. */
import { median, round } from '../support/stats.mjs'
import { measureDelivery, medianOf } from './delivery.mjs'

const SIGNED = ['ideal', 'ghostchat', 'gossipsub-signed', 'nostr', 'threebox']
const ALL = ['websocket', ...SIGNED, 'gossipsub', 'socketio']
const RUNS = 5
const SATURATED = { count: 1_500, warmUp: 400 }

const METHOD = `Everybody runs in a process of their own: the server of whoever is compared, its authors and its receivers, all on one machine. Texts
are 200 bytes. CPU is that of all processes, from the first text until 1.5 s after the last one was heard, so that
acknowledgements are in it, divided by how many texts were heard; bytes are those of the TCP connections of all. A first round, not counted, warms all of them up.`

export const saturated = deliveryPart({
  name: 'saturated',
  question: 'What does a delivery cost when an author writes as fast as it can?',
  method: `${METHOD} One author says 1,500 texts, 100 of them handed over at a time. "Ideal" is the least a signed chat can cost: a WebSocket
relay, one Ed25519 signature and one verification by each receiver with WebCrypto, and nothing else.`,
  peers: ALL,
  loads: [10, 50].map((receivers) => ({ receivers, authors: 1, ...SATURATED })),
  plots: (results) => [
    costBars(
      'saturated',
      'CPU for one delivery, one author, 50 receivers',
      rowsOf(results, { receivers: 50 }),
    ),
  ],
})

export const authors = deliveryPart({
  name: 'authors',
  question: 'And when ten authors write at once?',
  method:
    'As above; ten authors say 150 texts each, ten more clients listen. What is signed by many can be put together less.',
  peers: SIGNED,
  loads: [{ receivers: 10, authors: 10, ...SATURATED }],
  plots: (results) => [costBars('authors', 'CPU for one delivery, ten authors, ten more receivers', results)],
})

export const steady = deliveryPart({
  name: 'steady',
  question: 'What does a delivery cost, and how long does it take, at 20 texts a second?',
  method: 'As above; one author says 20 texts a second for ten seconds, each by itself.',
  peers: ALL,
  loads: [{ receivers: 10, authors: 1, count: 200, warmUp: 60, perSecond: 20 }],
  plots: (results) => [costBars('steady', 'CPU for one delivery, 20 texts a second, 10 receivers', results)],
})

export const growth = deliveryPart({
  name: 'growth',
  question: 'Does a delivery cost more in a larger room?',
  method: 'As above; one author says 500 texts at once to ever more receivers.',
  peers: ['ideal', 'ghostchat'],
  loads: [5, 10, 20, 50, 100, 200].map((receivers) => ({ receivers, authors: 1, count: 500, warmUp: 200 })),
  plots: (results) => [
    {
      kind: 'lines',
      name: 'growth',
      title: 'CPU for one delivery, by the size of the room',
      unit: 'µs',
      xTitle: 'receivers',
      isLogarithmic: true,
      lines: titlesOf(results).map((title) => ({
        label: title,
        points: results
          .filter((row) => row.title === title)
          .map((row) => [row.receivers, round(row.cpuUs, 1)]),
      })),
    },
  ],
})

function deliveryPart({ peers, loads, ...part }) {
  return {
    ...part,
    measure: async ({ isQuick, only, progress }) => {
      const chosen = await Promise.all(
        peers
          .filter((name) => only?.includes(name) ?? true)
          .map(async (name) => ({ name, ...(await import(`../peers/${name}.mjs`)) })),
      )
      const results = []
      for (const load of isQuick ? loads.slice(0, 1) : loads) {
        results.push(...(await compare(chosen, load, isQuick ? 1 : RUNS, progress)))
      }
      return results
    },
    tables: (results) => [{ rows: results.map(rowOf) }],
  }
}

/** In turn, so that what else happens on the machine happens to all of them. */
async function compare(peers, load, times, progress) {
  const runs = new Map(peers.map(({ name }) => [name, []]))
  for (let time = 1; time <= times; time += 1) {
    for (const { name } of peers) {
      progress(`${load.receivers} receivers, ${name}: run ${time} of ${times}`)
      runs.get(name).push(await measureDelivery(name, load))
    }
  }
  const ideal = runs.get('ideal')
  return peers.map(({ name, title, isSigned }) => {
    const own = runs.get(name)
    const ofIdeal = ideal && round(median(own.map(({ cpuUs }, index) => cpuUs / ideal[index].cpuUs)), 2)
    return { peer: name, title, isSigned, ...load, ...medianOf(own), ofIdeal }
  })
}

function rowOf(row) {
  return {
    '': row.title,
    signed: row.isSigned ? 'yes' : 'no',
    receivers: row.receivers,
    'CPU, µs a delivery': round(row.cpuUs, 1),
    'of the ideal': row.ofIdeal ?? '',
    'of it the server': round(row.serverUs, 1),
    authors: round(row.authorsUs, 1),
    'receivers, µs': round(row.receiversUs, 1),
    'bytes a delivery': round(row.bytes),
    'deliveries/s': round(row.perSecond),
    'median, ms': round(row.p50Ms, 1),
    'p99, ms': round(row.p99Ms, 1),
    lost: row.lost,
  }
}

function costBars(name, title, rows) {
  const bars = rows.map((row) => ({
    label: row.isSigned ? row.title : `${row.title} (not signed)`,
    value: round(row.cpuUs, 1),
  }))
  return { kind: 'bars', name, title, unit: 'µs', bars: bars.sort((a, b) => a.value - b.value) }
}

function rowsOf(results, { receivers }) {
  const rows = results.filter((row) => row.receivers === receivers)
  return rows.length > 0 ? rows : results
}

function titlesOf(results) {
  return [...new Set(results.map(({ title }) => title))]
}
