/** nostr-tools: events with a Schnorr signature over a relay that hands them on; each receiver verifies. */
import { finalizeEvent, generateSecretKey, verifyEvent } from 'nostr-tools/pure'

/** Ephemeral: relays pass it on and keep nothing. */
const KIND = 20_001

export async function open(port) {
  const key = generateSecretKey()
  const socket = new WebSocket(`ws://127.0.0.1:${port}`)
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve, { once: true })
    socket.addEventListener('error', reject, { once: true })
  })
  return {
    async join(room) {
      return {
        send: async (texts) => {
          for (const content of texts) {
            const event = {
              kind: KIND,
              created_at: Math.floor(Date.now() / 1000),
              tags: [['d', room]],
              content,
            }
            socket.send(JSON.stringify(['EVENT', room, finalizeEvent(event, key)]))
          }
        },
        onText: (listener) =>
          socket.addEventListener('message', async ({ data }) => {
            const [, , event] = JSON.parse(typeof data === 'string' ? data : await data.text())
            if (verifyEvent(event)) listener(event.content)
          }),
      }
    },
  }
}
