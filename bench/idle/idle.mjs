/** What it costs to be there while nobody says anything. */
import { setTimeout as pause } from 'node:timers/promises'
import { round } from '../support/stats.mjs'
import { Worker } from '../support/worker.mjs'

const PROCESSES = 2
/** Joins, and the comparisons after them, are over by then. */
const SETTLE_MS = 60_000
const LOOK_MS = 120_000
const ROOMS = [
  { members: 1, rooms: 1 },
  { members: 1, rooms: 50 },
  { members: 2, rooms: 1 },
  { members: 10, rooms: 1 },
  { members: 50, rooms: 1 },
  { members: 200, rooms: 1 },
]

export const idle = {
  name: 'idle',
  question: 'What does it cost to be there?',
  method: `One client in a process of its own, in rooms in which nobody says anything, watched for two minutes a minute after everybody came. Every
member says every 30 s that it is still there, and each of the others verifies that; the bytes are those of its TCP connections, both
directions together.`,
  measure: async ({ isQuick, progress }) => {
    const results = []
    for (const plan of isQuick ? ROOMS.slice(0, 3) : ROOMS) {
      progress(`${plan.members} members, rooms: ${plan.rooms}`)
      results.push({
        ...plan,
        ...(await measureIdle(plan, isQuick ? 10_000 : LOOK_MS, isQuick ? 5_000 : SETTLE_MS)),
      })
    }
    return results
  },
  tables: (results) => [
    {
      caption: 'In a minute',
      rows: results.map((row) => ({
        members: row.members,
        rooms: row.rooms,
        'CPU of the client, ms': row.cpuMs,
        'bytes of the client': row.bytes.toLocaleString('en'),
        'bytes for each member':
          row.members > 1 ? Math.round(row.bytes / row.members).toLocaleString('en') : '',
        'CPU of the node, ms': row.nodeCpuMs,
      })),
    },
  ],
}

async function measureIdle({ members, rooms }, lookMs, settleMs) {
  const node = await Worker.start('support/node-worker.mjs')
  const [watched, ...others] = await Promise.all(
    Array.from({ length: 1 + PROCESSES }, () => Worker.start('node/crowd.mjs')),
  )
  try {
    const { url } = await node.call('start')
    const names = Array.from({ length: rooms }, (_, number) => `room ${number}`)
    await Promise.all([
      watched.call('come', { url, rooms: names, isOneClient: true, others: members - 1 }),
      ...others.map((other, index) => {
        const count = Math.floor((members - 1 + index) / PROCESSES)
        return other.call('come', {
          url,
          rooms: Array.from({ length: count }, () => names[0]),
          others: members - 1,
        })
      }),
    ])
    await pause(settleMs)
    const before = [await watched.call('cpuMs'), await watched.call('bytes'), await node.call('cpuMs')]
    await pause(lookMs)
    const after = [await watched.call('cpuMs'), await watched.call('bytes'), await node.call('cpuMs')]
    const [cpuMs, bytes, nodeCpuMs] = after.map((value, index) =>
      round(((value - before[index]) * 60_000) / lookMs),
    )
    return { cpuMs, bytes, nodeCpuMs }
  } finally {
    await Promise.all([node, watched, ...others].map((worker) => worker.stop()))
  }
}
