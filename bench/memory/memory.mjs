/** What is kept in memory, and how much that takes. */
import { round } from '../support/stats.mjs'
import { Worker } from '../support/worker.mjs'

export const memory = {
  name: 'memory',
  question: 'How much memory does it take?',
  method: `The heap and the buffers in use after the garbage was collected, in a process that holds many of a thing, divided by how many it
holds. Texts are 200 bytes, and an event with such a text is a JWT of about 690. A room keeps 1,000 events of its history at the most and lists 1,000 devices.`,
  measure: async ({ isQuick, progress }) => {
    const results = []
    for (const [what, plan] of Object.entries(PLANS)) {
      progress(what)
      const holder = await Worker.start('memory/holder.mjs', { execArgv: ['--expose-gc'] })
      try {
        const count = isQuick ? plan.quick : plan.count
        results.push({ what, count, bytes: Math.round(await holder.call(plan.task, count)) })
      } finally {
        await holder.stop()
      }
    }
    return results
  },
  tables: (results) => [
    {
      rows: results.map(({ what, count, bytes }) => ({
        '': what,
        'bytes each': bytes.toLocaleString('en'),
        KB: round(bytes / 1_000, 1),
        'of so many': count,
      })),
    },
  ],
}

const PLANS = {
  'a space on libp2p, with one room and a node': { task: 'spaces', count: 20, quick: 3 },
  'a further room': { task: 'rooms', count: 300, quick: 20 },
  'a message that is kept': { task: 'messages', count: 20_000, quick: 1_000 },
  'a member that is listed': { task: 'members', count: 900, quick: 100 },
}
