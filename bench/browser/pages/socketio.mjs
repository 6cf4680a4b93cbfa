/** socket.io: a server hands on what each client says to a room. Nothing is signed. */
import { io } from 'socket.io-client'

export async function open(port) {
  const socket = io(`http://127.0.0.1:${port}`, { transports: ['websocket'] })
  await new Promise((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('connect_error', reject)
  })
  return {
    async join(room) {
      await socket.emitWithAck('join', room)
      return {
        send: async (texts) => texts.forEach((text) => void socket.emit('chat', room, text)),
        onText: (listener) => socket.on('chat', listener),
      }
    },
  }
}
