/** This package as a dapp uses it: WebRTC beside the node, no options but the node. */
import { openSpace } from '../../../dist/index.js'

export async function open(url) {
  const space = await openSpace('bench', { nodes: [url], identity: 'ephemeral' })
  return {
    async join(room) {
      const chat = await space.joinChat(room)
      return {
        others: () => chat.onlineUsers().length - 1,
        send: (texts) => Promise.all(texts.map((text) => chat.send(text))),
        onText: (listener) =>
          chat.on('message', (did, { text }) => {
            if (did !== space.did) listener(text)
          }),
      }
    },
  }
}
