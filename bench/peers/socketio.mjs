/** socket.io: a server hands on what each client says to a room. Nothing is signed. */
import { createServer } from 'node:http'
import { Server } from 'socket.io'
import { io } from 'socket.io-client'

export const title = 'socket.io'
export const isSigned = false

export async function serve() {
  const http = createServer()
  const server = new Server(http)
  server.on('connection', (socket) => {
    socket.on('join', (room, done) => {
      socket.join(room)
      done()
    })
    socket.on('chat', (room, text) => socket.to(room).emit('chat', text))
  })
  await new Promise((resolve) => http.listen(0, '127.0.0.1', resolve))
  return http.address().port
}

export async function connect(port, { room }) {
  const socket = io(`http://127.0.0.1:${port}`, { transports: ['websocket'] })
  await new Promise((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('connect_error', reject)
  })
  await socket.emitWithAck('join', room)
  return {
    send: async (texts) => texts.forEach((text) => void socket.emit('chat', room, text)),
    onText: (listener) => socket.on('chat', listener),
  }
}
