/** Whether a delivery costs more where a node carries, and a client is in, many rooms. */
import { setTimeout as pause } from 'node:timers/promises'
import { round, sum } from '../support/stats.mjs'
import { Worker } from '../support/worker.mjs'

const PER_SECOND = 20
const SECONDS = 20
/** Joins, renewals and comparisons of the beginning are over by then. */
const SETTLE_MS = 30_000
const ARRIVE_MS = 3_000

export const rooms = {
  name: 'rooms',
  question: 'Does a delivery cost more in many rooms?',
  method: `Two clients are in the same rooms; one of them says ${PER_SECOND} texts a second, in one room after the other. CPU of the node and both clients
while it does, and while nobody says anything: each client says in each room every 30 s that it is still there.`,
  measure: async ({ isQuick, progress }) => {
    const results = []
    for (const count of isQuick ? [1, 10] : [1, 10, 100, 1_000]) {
      progress(`rooms: ${count}`)
      results.push(await measureRooms(count, isQuick ? 2_000 : SETTLE_MS))
    }
    return results
  },
  tables: (results) => [
    {
      rows: results.map((row) => ({
        rooms: row.rooms,
        'CPU, ms a second': row.talkingMs,
        'while nobody speaks': row.idleMs,
        'µs a delivery beyond that': row.us,
        lost: row.lost,
      })),
    },
  ],
}

async function measureRooms(count, settleMs) {
  const [node, author, listener] = await Promise.all([
    Worker.start('support/node-worker.mjs'),
    Worker.start('node/crowd.mjs'),
    Worker.start('node/crowd.mjs'),
  ])
  const workers = [node, author, listener]
  try {
    const { url } = await node.call('start')
    const names = Array.from({ length: count }, (_, number) => `room ${number}`)
    const come = { url, rooms: names, others: 1, isOneClient: true }
    await Promise.all([author.call('come', come), listener.call('come', come)])
    await pause(settleMs)
    const cpu = async () => sum(await Promise.all(workers.map((worker) => worker.call('cpuMs'))))
    // Every room has its turn.
    const seconds = Math.max(SECONDS, count / PER_SECOND)
    const spentIn = async (act) => {
      const before = await cpu()
      await act()
      return (await cpu()) - before
    }
    const idleMs = await spentIn(() => pause(seconds * 1_000))
    const said = []
    const talkingMs = await spentIn(async () => {
      said.push(await author.call('talk', { perSecond: PER_SECOND / count, seconds }))
    })
    await pause(ARRIVE_MS)
    const heard = (await listener.call('heard')).length
    return {
      rooms: count,
      talkingMs: round(talkingMs / seconds, 1),
      idleMs: round(idleMs / seconds, 1),
      us: round(((talkingMs - idleMs) * 1_000) / heard),
      lost: sum(said) - heard,
    }
  } finally {
    await Promise.all(workers.map((worker) => worker.stop()))
  }
}
