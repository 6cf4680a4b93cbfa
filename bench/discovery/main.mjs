/**
 * `npm run bench:discovery [-- part …] [-- --quick]`: how fast members of a room find each other, what stands between
 * joining and the first message, and what the public IPFS network would change. Prints tables and writes
 * `bench/results/*.json`.
 */
import { saveResults } from '../support/results.mjs'
import { measureBundles, showBundles } from './bundle-size.mjs'
import { measureDht, showDht } from './dht.mjs'
import { measureListing, showListing } from './listing.mjs'
import { measureRoundTrips, showRoundTrips } from './round-trips.mjs'

const MINUTE_MS = 60_000

const QUICK_VARIANTS = [1, 2].map((nodes) => ({ nodes, direct: true, openAtJoin: false }))

const PARTS = {
  'round-trips': {
    about: 'network round trips from joining to the first message, beside a plain WebSocket chat',
    measure: (isQuick, onProgress) => measureRoundTrips({ runs: isQuick ? 2 : 7, onProgress }),
    show: showRoundTrips,
  },
  listing: {
    about:
      '50 clients join one room within a second; all times in ms, CPU of all processes, floor on two cores',
    measure: (isQuick, onProgress) =>
      measureListing({
        runs: isQuick ? 1 : 5,
        clients: isQuick ? 10 : 50,
        processes: 2,
        ...(isQuick && { variants: QUICK_VARIANTS }),
        onProgress,
      }),
    show: showListing,
  },
  dht: {
    about:
      'finding each other through a DHT and through a GhostNode, everybody 100 ms (there and back) apart',
    measure: (isQuick, onProgress) =>
      measureDht({
        servers: isQuick ? 30 : 100,
        runs: isQuick ? 2 : 7,
        // The DHT refreshes its tables every five minutes: less would leave that out.
        idleMs: isQuick ? MINUTE_MS / 2 : 6 * MINUTE_MS,
        onProgress,
      }),
    show: showDht,
  },
  'bundle-size': {
    about: 'what a page loads',
    measure: () => measureBundles(),
    show: showBundles,
  },
}

const names = process.argv.slice(2).filter((argument) => !argument.startsWith('--'))
const flags = process.argv.slice(2).filter((argument) => argument.startsWith('--'))
const isQuick = flags.includes('--quick')
const unknown = [...names.filter((name) => !(name in PARTS)), ...flags.filter((flag) => flag !== '--quick')]
if (unknown.length > 0) {
  console.error(`unknown: ${unknown.join(', ')}; there are ${Object.keys(PARTS).join(', ')} and --quick`)
  process.exit(2)
}

for (const [name, { about, measure, show }] of Object.entries(PARTS)) {
  if (names.length > 0 && !names.includes(name)) continue
  console.log(`\n${name}: ${about}`)
  const results = await measure(isQuick, (text) => console.error(`  ${clock()} ${text}`))
  // A quick run is for trying: it does not take the place of a measurement.
  if (!isQuick) saveResults(`discovery-${name}`, { command: `npm run bench:discovery -- ${name}`, results })
  console.log(`\n${show(results)}`)
}
process.exit()

function clock() {
  return new Date().toLocaleTimeString('en-GB')
}
