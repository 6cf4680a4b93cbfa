/**
 * nostr-tools: events with a Schnorr signature over a relay that hands them on, as relays do for ephemeral kinds; each receiver verifies.
 */
import { finalizeEvent, generateSecretKey, verifyEvent } from 'nostr-tools/pure'
import { connectRaw, serve as serveRelay } from './websocket.mjs'

/** Ephemeral: relays pass it on and keep nothing. */
const KIND = 20_001

export const title = 'nostr-tools'
export const isSigned = true

export const serve = serveRelay

export async function connect(port, { room }) {
  const key = generateSecretKey()
  const { send, onData } = await connectRaw(port)
  return {
    send: async (texts) => {
      for (const content of texts) {
        const event = { kind: KIND, created_at: Math.floor(Date.now() / 1000), tags: [['d', room]], content }
        send(JSON.stringify(['EVENT', room, finalizeEvent(event, key)]))
      }
    },
    onText(listener) {
      onData((data) => {
        const [, , event] = JSON.parse(data.toString())
        if (verifyEvent(event)) listener(event.content)
      })
    },
  }
}
