/** Some of the clients of a node, in a process of their own. */
import { openSpace } from '../support/ghostchat.mjs'
import { countSockets } from '../support/socket-counter.mjs'
import { cpuMs, now, serve } from '../support/worker.mjs'

const silent = { debug() {}, warn() {} }
/** How many join at a time: handshakes take the processor from those of everybody else. */
const AT_ONCE = 4
const TEXT_BYTES = 200

const chats = []
let latencies = []

serve({
  /** One client for each room named, or one in all of them; resolves when each lists all others of its room. */
  async come({ url, rooms, others, isOneClient = false }) {
    const waiting = [...rooms]
    const only = isOneClient ? await open(url) : undefined
    const row = async () => {
      for (let room = waiting.shift(); room !== undefined; room = waiting.shift()) {
        await join(only ?? (await open(url)), room)
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, row))
    while (chats.some((chat) => chat.onlineUsers().length <= others)) await pause(100)
    latencies = []
  },

  /** Each says so many texts a second, beginning at a moment of its own. Resolves with how many were said. */
  async talk({ perSecond, seconds }) {
    const beganAt = performance.now()
    const count = Math.round(perSecond * seconds)
    await Promise.all(
      chats.map(async (chat, index) => {
        for (let number = 0; number < count; number += 1) {
          const atMs = ((number + (index + 0.5) / chats.length) / perSecond) * 1_000
          await pause(beganAt + atMs - performance.now())
          await chat.send(`${now().toFixed(3)} `.padEnd(TEXT_BYTES, 'x'))
        }
      }),
    )
    await pause(beganAt + seconds * 1_000 - performance.now())
    return count * chats.length
  },

  /** How long each text took to each who heard it, in milliseconds. */
  heard: () => latencies,
  bytes: () => countSockets().bytes,
  cpuMs,
})

function open(url) {
  return openSpace('bench', { nodes: [url], identity: 'ephemeral', direct: false, logger: silent })
}

async function join(space, room) {
  const chat = await space.joinChat(room)
  chat.on('message', (did, { text }) => {
    if (did !== space.did) latencies.push(now() - Number.parseFloat(text))
  })
  chats.push(chat)
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)))
}
