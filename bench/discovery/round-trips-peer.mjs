/** A member of a GhostChat room, or a newcomer to it, in a process of its own. */
import { openSpace } from '../support/ghostchat.mjs'
import { cpuMs, now, serve, tell } from '../support/worker.mjs'

const silent = { debug() {}, warn() {} }
const HISTORY = ['one', 'two', 'three']

/** A member who has said three things, and answers everybody who joins. */
async function startMember(url) {
  const space = await openSpace('bench', { nodes: [url], identity: 'ephemeral', logger: silent })
  const chat = await space.joinChat('lobby')
  if (chat.status.current !== 'connected') await new Promise((resolve) => chat.once('status', resolve))
  for (const text of HISTORY) await chat.send(text)
  chat.on('user-joined', (did) => void chat.send(`hello ${did}`))
  chat.on('message', (did, { text }) => {
    if (did !== space.did) tell('message', { text, at: now() })
  })
  return space.did
}

/** A newcomer, who says something as soon as it can. Answers when what happened, in milliseconds since `openSpace` was called. */
async function enter(url, name, timeoutMs = 30_000) {
  const startedAt = now()
  const startedCpuMs = cpuMs()
  const times = {}
  const note = (what) => {
    times[what] ??= now() - startedAt
  }
  const space = await openSpace('bench', { nodes: [url], identity: 'ephemeral', logger: silent })
  note('opened')
  const chat = await space.joinChat('lobby')
  note('joined')
  let messages = 0
  const wanted = ['firstMessage', 'backlog', 'userJoined', 'sent']
  const done = new Promise((resolve, reject) => {
    const late = setTimeout(
      () => reject(new Error(`missing after ${timeoutMs} ms: ${wanted.filter((what) => !(what in times))}`)),
      timeoutMs,
    )
    const look = () => {
      if (wanted.some((what) => !(what in times))) return
      clearTimeout(late)
      resolve()
    }
    chat.on('status', ({ current }) => current === 'connected' && note('connected'))
    chat.on('user-joined', () => {
      note('userJoined')
      look()
    })
    chat.on('backlog', (backlog) => {
      messages += backlog.length
      if (messages >= HISTORY.length) note('backlog')
      look()
    })
    chat.on('message', (did) => {
      if (did !== space.did) note('firstMessage')
      look()
    })
    chat.on('message-updated', () => {
      note('sent')
      look()
    })
  })
  if (chat.status.current === 'connected') note('connected')
  void chat.send(`I am ${name}`)
  await done
  return { startedAt, times, cpuMs: cpuMs() - startedCpuMs }
}

serve({ startMember, enter })
