/** The floor: a WebSocket server that hands on what each client says to all others. Nothing is signed. */
import { WebSocket, WebSocketServer } from 'ws'

export const title = 'plain WebSocket relay'
export const isSigned = false

export async function serve() {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  server.on('connection', (socket) => {
    socket.on('message', (data) => {
      for (const other of server.clients) {
        if (other !== socket && other.readyState === WebSocket.OPEN) other.send(data, { binary: true })
      }
    })
  })
  await new Promise((resolve) => server.once('listening', resolve))
  return server.address().port
}

export async function connect(port) {
  const { send, onData } = await connectRaw(port)
  return {
    send: async (texts) => texts.forEach((text) => void send(Buffer.from(text))),
    onText: (listener) => onData((data) => listener(data.toString())),
  }
}

/** A client that says bytes and hears bytes. */
export async function connectRaw(port) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}`)
  await new Promise((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', reject)
  })
  return {
    send: (data) => socket.send(data),
    onData: (listener) => socket.on('message', listener),
  }
}
