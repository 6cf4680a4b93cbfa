/** This package: signed events through the gate, over a GhostNode. */
import { createGhostNode, openSpace } from '../support/ghostchat.mjs'

const silent = { debug() {}, warn() {} }

export const title = 'GhostChat'
export const isSigned = true

export async function serve() {
  const node = await createGhostNode({ host: '127.0.0.1', port: 0, stunPort: false, logger: silent })
  return node.url
}

export async function connect(url, { room }) {
  // As it is installed: WebRTC in Node needs a package more, and all other peers here go by way of their server.
  const space = await openSpace('bench', {
    nodes: [url],
    identity: 'ephemeral',
    direct: false,
    logger: silent,
  })
  const chat = await space.joinChat(room)
  if (chat.status.current !== 'connected') {
    await new Promise((resolve) => {
      chat.on('status', ({ current }) => current === 'connected' && resolve())
    })
  }
  return {
    /** How many others are known to be there. */
    others: () => chat.onlineUsers().length - 1,
    send: (texts) => Promise.all(texts.map((text) => chat.send(text))),
    onText(listener) {
      chat.on('message', (did, { text }) => {
        if (did !== space.did) listener(text)
      })
    },
  }
}
