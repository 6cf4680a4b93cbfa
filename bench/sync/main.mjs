/**
 * `npm run bench:sync`: what it costs two devices to find out what one of them missed, in bytes on the stream and on the
 * TCP connection below it. Prints a table and writes `bench/results/sync-cost.json`.
 */
import { measureSync } from '../../test/support/sync-cost.ts'
import { saveResults } from '../support/results.mjs'
import { table } from '../support/stats.mjs'

const costs = await measureSync()
saveResults('sync-cost', { command: 'npm run bench:sync', results: costs })
console.log('\na room of 30 members and 1,000 messages; bytes, both directions together\n')
console.log(
  table(
    costs.map(({ missing, by, events, eventBytes, streamBytes, overheadBytes, tcpBytes }) => ({
      missing: events === 0 ? missing : `${events} ${missing}`,
      by: events === 0 ? '' : by,
      events: eventBytes,
      stream: streamBytes,
      'beyond the events': overheadBytes,
      'TCP connection': tcpBytes,
    })),
  ),
)
process.exit()
