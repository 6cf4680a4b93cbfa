/** Members of a GhostChat room or a newcomer to it, in a process of their own. */

import { openSpace } from '../support/ghostchat.mjs'
import { countSockets } from '../support/socket-counter.mjs'
import { cpuMs, now, serve } from '../support/worker.mjs'

const silent = { debug() {}, warn() {} }
const chats = []

/** Comes to a room; answers when it saw the first member and when so many. */
async function join({ url, room, wanted, direct, timeoutMs = 60_000 }) {
  const startedAt = now()
  const startedCpuMs = cpuMs()
  const before = countSockets()
  const times = {}
  const note = (what) => {
    times[what] ??= now() - startedAt
  }
  const space = await openSpace('bench', { nodes: [url], identity: 'ephemeral', direct, logger: silent })
  const chat = await space.joinChat(room)
  chats.push(chat)
  await new Promise((resolve) => {
    setTimeout(resolve, timeoutMs).unref()
    const look = () => {
      const others = chat.onlineUsers().length - 1
      if (others > 0) note('firstFound')
      if (others >= wanted) {
        note('allFound')
        resolve()
      }
    }
    chat.on('status', ({ current }) => current === 'connected' && note('connected'))
    chat.on('user-joined', look)
    if (wanted === 0) resolve()
    look()
  })
  const after = countSockets()
  return {
    times,
    cpuMs: cpuMs() - startedCpuMs,
    bytes: after.bytes - before.bytes,
    connections: after.connections - before.connections,
    open: after.open,
  }
}

async function usage() {
  return { cpuMs: cpuMs(), ...countSockets(), at: now(), memoryMb: process.memoryUsage.rss() / 2 ** 20 }
}

serve({ join, usage })
