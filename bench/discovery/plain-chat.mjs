/**
 * The plain WebSocket chat that round trips are compared with: connect, join, and everything else is sent by the
 * server. Served as a worker: the server, or a client of it.
 */
import { WebSocket, WebSocketServer } from 'ws'
import { cpuMs, now, serve, tell } from '../support/worker.mjs'

const HISTORY = ['one', 'two', 'three']

/** A server with rooms: who joins gets the history, the others are told, and what one says all others get. */
async function startServer() {
  const rooms = new Map()
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  server.on('connection', (socket) => {
    let others = new Set()
    const tellOthers = (message) => {
      for (const other of others) if (other !== socket) other.send(JSON.stringify(message))
    }
    socket.on('message', (data) => {
      const message = JSON.parse(data)
      if (message.join !== undefined) {
        others = rooms.get(message.join) ?? rooms.set(message.join, new Set()).get(message.join)
        socket.send(JSON.stringify({ history: HISTORY }))
        tellOthers({ joined: message.name })
        others.add(socket)
      } else tellOthers(message)
    })
    socket.on('close', () => others.delete(socket))
  })
  await new Promise((resolve) => server.once('listening', resolve))
  return server.address().port
}

/** A member who answers everybody who joins. */
async function startMember(port) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}`)
  await new Promise((resolve) => socket.once('open', resolve))
  socket.send(JSON.stringify({ join: 'lobby', name: 'member' }))
  await new Promise((resolve) => socket.once('message', resolve))
  socket.on('message', (data) => {
    const { joined, text } = JSON.parse(data)
    if (joined !== undefined) socket.send(JSON.stringify({ text: `hello ${joined}` }))
    if (text !== undefined) tell('message', { text, at: now() })
  })
}

/** A newcomer, who says something as soon as it can. */
function enter(port, name) {
  const startedAt = now()
  const startedCpuMs = cpuMs()
  const times = {}
  const socket = new WebSocket(`ws://127.0.0.1:${port}`)
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.once('open', () => {
      socket.send(JSON.stringify({ join: 'lobby', name }))
      socket.send(JSON.stringify({ text: `I am ${name}` }))
    })
    socket.on('message', (data) => {
      const { history, text } = JSON.parse(data)
      if (history !== undefined) times.backlog ??= now() - startedAt
      if (text !== undefined) times.firstMessage ??= now() - startedAt
      if (times.backlog !== undefined && times.firstMessage !== undefined) {
        resolve({ startedAt, times, cpuMs: cpuMs() - startedCpuMs })
      }
    })
  })
}

serve({ startServer, startMember, enter })
