import { isBefore, Reconciler } from '../../../src/room/reconciler.ts'
import { decodeSync, encodeSync, type Range } from '../../../src/wire/sync.ts'
import { FEW, LATE, MANY, SALT, syncFrames } from '../support/comparison.ts'
import { promise, type Target } from '../target.ts'

const sides = [FEW, MANY, LATE].map(({ timeline, floor }) => ({
  items: timeline,
  floor,
  reconciler: new Reconciler({ items: timeline, salt: SALT, floor }),
}))

/** One side of a comparison, answering ranges that anybody may have sent. */
export const reconciler: Target = {
  name: 'reconciler',
  run(input) {
    const said = decodeSync(input)
    if (said?.kind !== 'open' && said?.kind !== 'turn') return
    for (const side of sides) {
      for (const ranges of [said.roster, said.timeline]) {
        const { send, reply } = side.reconciler.answer(ranges)
        promise(new Set(send).size === send.length, 'nothing is sent twice')
        promise(
          send.every((item) => side.items.includes(item) && !isBefore(item, side.floor)),
          'only what is wanted back to there is sent',
        )
        checkReply(reply)
        // What somebody else makes of it.
        for (const other of sides) other.reconciler.answer(reply)
      }
    }
  },
  seeds: syncFrames,
  maxBytes: 8 * 1024,
  runs: 200_000,
}

/** It is a turn that can be written, and read as it was meant. */
function checkReply(reply: Range[]): void {
  const floor = { timestamp: 0, prefix: '' }
  const read = decodeSync(encodeSync({ kind: 'turn', floor, roster: [], timeline: reply }))
  promise(read?.kind === 'turn', 'a reply can be read')
  promise(JSON.stringify(read.timeline) === JSON.stringify(reply), 'a reply is read as it was meant')
}
