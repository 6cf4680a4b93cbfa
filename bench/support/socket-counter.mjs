import { subscribe } from 'node:diagnostics_channel'

/** The TCP connections of this process since this module was loaded, and their bytes. UDP, and with it WebRTC, is not seen. */
const sockets = new Set()
let closed = { connections: 0, bytes: 0 }

for (const channel of ['net.client.socket', 'net.server.socket']) {
  subscribe(channel, ({ socket }) => {
    sockets.add(socket)
    socket.once('close', () => {
      sockets.delete(socket)
      closed = { connections: closed.connections + 1, bytes: closed.bytes + bytesOf(socket) }
    })
  })
}

/** So far: connections ever opened or taken, those that are open, and bytes both ways. */
export function countSockets() {
  const bytes = [...sockets].reduce((total, socket) => total + bytesOf(socket), closed.bytes)
  return { connections: closed.connections + sockets.size, open: sockets.size, bytes }
}

function bytesOf({ bytesRead, bytesWritten }) {
  return bytesRead + bytesWritten
}
