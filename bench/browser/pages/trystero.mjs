/** Trystero: WebRTC between all pages, found over a relay on this machine as its documentation describes one. Nothing is signed. */
import { createTopicStrategy } from '@trystero-p2p/core'

const joinRoom = createTopicStrategy({
  init: ({ relayConfig }) =>
    new Promise((resolve, reject) => {
      const socket = new WebSocket(relayConfig.urls[0])
      socket.addEventListener('open', () => resolve(socket), { once: true })
      socket.addEventListener('error', reject, { once: true })
    }),
  subscribeTopic(socket, topic, onMessage) {
    const listener = ({ data }) => {
      const message = JSON.parse(data)
      if (message.topic === topic) onMessage(topic, message.payload)
    }
    socket.addEventListener('message', listener)
    socket.send(JSON.stringify({ type: 'subscribe', topic }))
    return () => socket.removeEventListener('message', listener)
  },
  publishTopic: (socket, topic, payload) => socket.send(JSON.stringify({ type: 'publish', topic, payload })),
})

export async function open(port) {
  return {
    async join(name) {
      const room = joinRoom({ appId: 'bench', relayConfig: { urls: [`ws://127.0.0.1:${port}`] } }, name)
      const action = room.makeAction('text')
      let peers = 0
      room.onPeerJoin = () => {
        peers += 1
      }
      return {
        others: () => peers,
        send: (texts) => Promise.all(texts.map((text) => action.send(text))),
        onText(listener) {
          action.onMessage = listener
        },
      }
    },
  }
}
