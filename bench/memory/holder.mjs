/** Holds many of a thing, in a process of its own, and says what each of them takes. */
import { setTimeout as pause } from 'node:timers/promises'
import { createGhostNode, openSpace, testing } from '../support/ghostchat.mjs'
import { serve } from '../support/worker.mjs'

const silent = { debug() {}, warn() {} }
const TEXT = 'x'.repeat(200)
const EACH_ROOM = 1_000

const { MemoryNetwork } = testing
const open = (network) =>
  openSpace('bench', { network: network.peer(), identity: 'ephemeral', logger: silent })
/** What is measured is held on to until the end. */
const held = []

serve({
  async spaces(count) {
    const node = await createGhostNode({ host: '127.0.0.1', port: 0, stunPort: false, logger: silent })
    const one = async () => {
      const options = { nodes: [node.url], identity: 'ephemeral', direct: false, logger: silent }
      const space = await openSpace('bench', options)
      // Everybody in a room of its own: others take memory, too.
      const chat = await space.joinChat(`room ${held.length}`)
      while (chat.status.current !== 'connected') await pause(20)
      held.push(space)
    }
    await one()
    return each(count, async () => {
      for (let number = 0; number < count; number += 1) await one()
    })
  },

  async rooms(count) {
    const space = await open(new MemoryNetwork())
    await space.joinChat('first')
    return each(count, async () => {
      for (let number = 0; number < count; number += 1) await space.joinChat(`room ${number}`)
    })
  },

  async messages(count) {
    const network = new MemoryNetwork()
    const [author, other] = [await open(network), await open(network)]
    const rooms = Math.ceil(count / EACH_ROOM)
    const chats = []
    const heard = []
    for (let room = 0; room < rooms; room += 1) {
      chats.push(await author.joinChat(`room ${room}`))
      const chat = await other.joinChat(`room ${room}`)
      heard.push(
        new Promise((resolve) => {
          let messages = 0
          chat.on('message', () => {
            messages += 1
            if (messages === EACH_ROOM) resolve()
          })
        }),
      )
      // The first of them makes what every further one uses.
      await chat.send(TEXT)
    }
    const bytes = await each(rooms * EACH_ROOM, async () => {
      for (const chat of chats)
        for (let some = 0; some < EACH_ROOM; some += 100)
          await Promise.all(Array.from({ length: 100 }, () => chat.send(TEXT)))
      await Promise.all(heard)
      // Until the other one has acknowledged them.
      await pause(8_000)
    })
    // Both of them have it.
    return bytes / 2
  },

  async members(count) {
    const { encodeFrame } = await import('../../src/wire/frame.ts')
    const { eventBy, testAuthor, testPeerId } = await import('../../test/support/authors.ts')
    const { topicOf } = await import('../../src/wire/topic.ts')
    const network = new MemoryNetwork()
    const space = await open(network)
    const chat = await space.joinChat('room')
    const topic = topicOf('bench', 'room')
    const at = Date.now()
    const frames = Array.from({ length: count }, (_, number) => {
      const body = { peer: testPeerId(number), data: { name: `member ${number}` } }
      return encodeFrame([eventBy(testAuthor(number), 'join', body, { topic, at }).jwt])
    })
    const channel = network.peer().join(topic, {
      onGossip: async () => 'ignore',
      onNeighbours() {},
      onWider() {},
      onPeerLost() {},
      onStream() {},
    })
    return each(count, async () => {
      for (const frame of frames.splice(0)) await channel.publish(frame)
      while (chat.onlineUsers().length <= count) await pause(50)
    })
  },
})

/** What each of so many takes that are made meanwhile, in bytes. */
async function each(count, make) {
  const before = await used()
  await make()
  return ((await used()) - before) / count
}

async function used() {
  for (let time = 0; time < 5; time += 1) {
    await pause(300)
    globalThis.gc()
  }
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
