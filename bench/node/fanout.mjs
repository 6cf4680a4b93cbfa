/** How many clients one node carries. */
import { setTimeout as pause } from 'node:timers/promises'
import { quantile, round, sum } from '../support/stats.mjs'
import { Worker } from '../support/worker.mjs'

const ROOM_SIZE = 10
const PROCESSES = 4
const SECONDS = 60
/** Joins, renewals and comparisons of the beginning are over by then. */
const SETTLE_MS = 30_000
const ARRIVE_MS = 5_000

export const fanout = {
  name: 'fanout',
  question: 'How many clients does one node carry?',
  method: `Rooms of ${ROOM_SIZE} clients, each of which somebody says a text of 200 bytes in every second, for a minute. All clients are whole
GhostChats, in ${PROCESSES} processes that share the machine with the node, so times contain what the clients take. Memory is that of the
node's process beyond what it has without clients.`,
  measure: async ({ isQuick, progress }) => {
    const results = []
    for (const rooms of isQuick ? [3] : [1, 10, 30, 100]) {
      progress(`${rooms * ROOM_SIZE} clients in ${rooms} rooms`)
      results.push(await measureFanout({ rooms, seconds: isQuick ? 10 : SECONDS, progress }))
    }
    return results
  },
  tables: (results) => [
    {
      rows: results.map((row) => ({
        clients: row.clients,
        rooms: row.rooms,
        'messages/s': row.rooms,
        'deliveries/s': row.deliveriesPerSecond,
        'the node, share of a core': `${round(row.nodeShare * 100)} %`,
        'µs a delivery': row.nodeUs,
        'in use, KB a client': row.usedKb,
        'resident, KB a client': row.rssKb,
        'median, ms': row.p50Ms,
        'p99, ms': row.p99Ms,
        lost: row.lost,
        'clients, share of a core': `${round(row.clientsShare * 100)} %`,
      })),
    },
  ],
  plots: (results) => [
    {
      kind: 'lines',
      name: 'fanout',
      title: 'The node, by how many clients it carries',
      unit: '% of a core',
      xTitle: 'clients',
      lines: [
        { label: 'GhostNode', points: results.map((row) => [row.clients, round(row.nodeShare * 100, 1)]) },
      ],
    },
  ],
}

async function measureFanout({ rooms, seconds, progress }) {
  const execArgv = ['--expose-gc']
  const node = await Worker.start('support/node-worker.mjs', { execArgv })
  const crowds = await Promise.all(
    Array.from({ length: PROCESSES }, () =>
      Worker.start('node/crowd.mjs', { execArgv: ['--max-old-space-size=8192'] }),
    ),
  )
  try {
    const { url } = await node.call('start')
    const alone = await node.call('memory')
    const all = (name, ...args) => Promise.all(crowds.map((crowd) => crowd.call(name, ...args)))
    const clients = rooms * ROOM_SIZE
    await Promise.all(
      crowds.map((crowd, index) =>
        crowd.call('come', {
          url,
          // Every room has members in every process.
          rooms: Array.from({ length: clients }, (_, number) => number)
            .filter((number) => number % PROCESSES === index)
            .map((number) => `room ${Math.floor(number / ROOM_SIZE)}`),
          others: ROOM_SIZE - 1,
        }),
      ),
    )
    progress('all are there')
    await pause(SETTLE_MS)
    const cpuBefore = await Promise.all([node.call('cpuMs'), ...(await all('cpuMs'))])
    const beganAt = performance.now()
    const said = sum(await all('talk', { perSecond: 1 / ROOM_SIZE, seconds }))
    const tookMs = performance.now() - beganAt
    const cpuAfter = await Promise.all([node.call('cpuMs'), ...(await all('cpuMs'))])
    await pause(ARRIVE_MS)
    const heard = (await all('heard')).flat()
    const memory = await node.call('memory')
    const [nodeMs, ...clientsMs] = cpuAfter.map((ms, index) => ms - cpuBefore[index])
    return {
      clients,
      rooms,
      seconds,
      deliveriesPerSecond: round((heard.length / tookMs) * 1_000),
      lost: said * (ROOM_SIZE - 1) - heard.length,
      nodeShare: round(nodeMs / tookMs, 3),
      nodeUs: round((nodeMs * 1_000) / heard.length, 1),
      clientsShare: round(sum(clientsMs) / tookMs, 3),
      usedKb: round((memory.used - alone.used) / clients / 1_024),
      rssKb: round((memory.rss - alone.rss) / clients / 1_024),
      p50Ms: round(quantile(heard, 0.5), 1),
      p99Ms: round(quantile(heard, 0.99), 1),
    }
  } finally {
    await Promise.all([node, ...crowds].map((worker) => worker.stop()))
  }
}
