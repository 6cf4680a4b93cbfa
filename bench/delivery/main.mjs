/**
 * `npm run bench:delivery [-- part …] [-- --quick] [-- --only=peer,peer]`: what a delivery costs, beside others who do the same work.
 * Prints tables and writes `bench/results/delivery-*.json`.
 */
import { saveResults } from '../support/results.mjs'
import { median, round, table } from '../support/stats.mjs'
import { measureDelivery, medianOf } from './delivery.mjs'

const SIGNED = ['ideal', 'ghostchat', 'gossipsub-signed', 'nostr', 'threebox']
const ALL = ['websocket', ...SIGNED, 'gossipsub', 'socketio']

const saturated = { count: 1_500, warmUp: 400 }
const PARTS = {
  saturated: {
    about: 'one author says 1,500 texts at once',
    peers: ALL,
    loads: [10, 50].map((receivers) => ({ receivers, authors: 1, ...saturated })),
  },
  authors: {
    about: 'ten authors say 1,500 texts at once, 150 each',
    peers: SIGNED,
    loads: [{ receivers: 10, authors: 10, ...saturated }],
  },
  steady: {
    about: 'one author says 20 texts a second',
    peers: ALL,
    loads: [{ receivers: 10, authors: 1, count: 200, warmUp: 60, perSecond: 20 }],
  },
  growth: {
    about: 'one author says 500 texts at once to ever more receivers',
    peers: ['ideal', 'ghostchat'],
    loads: [5, 10, 20, 50, 100, 200].map((receivers) => ({ receivers, authors: 1, count: 500, warmUp: 200 })),
  },
}

const flags = process.argv.slice(2).filter((argument) => argument.startsWith('--'))
const names = process.argv.slice(2).filter((argument) => !argument.startsWith('--'))
const isQuick = flags.includes('--quick')
const only = flags
  .find((flag) => flag.startsWith('--only='))
  ?.slice('--only='.length)
  .split(',')
const unknown = [
  ...names.filter((name) => !(name in PARTS)),
  ...flags.filter((flag) => flag !== '--quick' && !flag.startsWith('--only=')),
  ...(only ?? []).filter((peer) => !ALL.includes(peer)),
]
if (unknown.length > 0) {
  console.error(
    `unknown: ${unknown.join(', ')}; there are ${Object.keys(PARTS).join(', ')}, --quick and --only=${ALL.join(',')}`,
  )
  process.exit(2)
}

for (const [name, { about, peers, loads }] of Object.entries(PARTS)) {
  if (names.length > 0 && !names.includes(name)) continue
  console.log(`\n${name}: ${about}`)
  const chosen = peers.filter((peer) => only?.includes(peer) ?? true)
  const titles = new Map()
  for (const peer of chosen) titles.set(peer, await import(`../peers/${peer}.mjs`))
  const results = []
  for (const load of isQuick ? loads.slice(0, 1) : loads) {
    const runs = new Map(chosen.map((peer) => [peer, []]))
    const times = isQuick ? 1 : 5
    // In turn, so that what else happens on the machine happens to all of them.
    for (let time = 1; time <= times; time += 1) {
      for (const peer of chosen) {
        console.error(
          `  ${new Date().toLocaleTimeString('en-GB')} ${load.receivers} receivers, ${peer}: run ${time} of ${times}`,
        )
        runs.get(peer)?.push(await measureDelivery(peer, load))
      }
    }
    const ideal = runs.get('ideal')
    for (const peer of chosen) {
      const own = runs.get(peer) ?? []
      const ratios =
        ideal === undefined ? [] : own.map((run, index) => run.cpuUs / (ideal[index]?.cpuUs ?? Number.NaN))
      const { title, isSigned } = titles.get(peer)
      const ratio = ratios.length > 0 && { ofIdeal: round(median(ratios), 2) }
      results.push({ peer, title, isSigned, ...load, ...medianOf(own), ...ratio })
    }
  }
  // A quick run is for trying: it does not take the place of a measurement.
  if (!isQuick && only === undefined)
    saveResults(`delivery-${name}`, { command: `npm run bench:delivery -- ${name}`, results })
  console.log(`\n${show(results)}`)
}
process.exit()

function show(results) {
  return table(
    results.map((row) => ({
      peer: row.title,
      signed: row.isSigned ? 'yes' : 'no',
      receivers: row.receivers,
      'CPU µs a delivery': round(row.cpuUs, 1),
      server: round(row.serverUs, 1),
      authors: round(row.authorsUs, 1),
      'receivers ': round(row.receiversUs, 1),
      'of ideal': row.ofIdeal ?? '',
      'deliveries/s': round(row.perSecond),
      'p50 ms': round(row.p50Ms, 1),
      'p99 ms': round(row.p99Ms, 1),
      lost: row.lost,
    })),
  )
}
