/**
 * The ideal of a signed chat: a WebSocket relay, one Ed25519 signature by WebCrypto for each text, and one verification by each
 * receiver. Who signs is known beforehand, and nothing else is checked, kept or repeated.
 */
import { webcrypto } from 'node:crypto'
import { connectRaw, serve as serveRelay } from './websocket.mjs'

const { subtle } = webcrypto
const SIGNATURE_BYTES = 64

export const title = 'ideal: WebSocket relay and Ed25519'
export const isSigned = true

export const serve = serveRelay

export async function connect(port) {
  const keys = await subtle.generateKey('Ed25519', true, ['sign', 'verify'])
  const publicKey = Buffer.from(await subtle.exportKey('raw', keys.publicKey))
  const { send, onData } = await connectRaw(port)
  const known = new Map()
  /** The key a text names, imported once. */
  const keyOf = (bytes) => {
    const name = bytes.toString('latin1')
    let key = known.get(name)
    if (key === undefined) {
      key = subtle.importKey('raw', bytes, 'Ed25519', false, ['verify'])
      known.set(name, key)
    }
    return key
  }
  return {
    send: (texts) =>
      Promise.all(
        texts.map(async (text) => {
          const data = Buffer.from(text)
          const signature = Buffer.from(await subtle.sign('Ed25519', keys.privateKey, data))
          send(Buffer.concat([publicKey, signature, data]))
        }),
      ),
    onText(listener) {
      onData(async (message) => {
        const key = await keyOf(message.subarray(0, publicKey.length))
        const signature = message.subarray(publicKey.length, publicKey.length + SIGNATURE_BYTES)
        const data = message.subarray(publicKey.length + SIGNATURE_BYTES)
        if (await subtle.verify('Ed25519', key, signature, data)) listener(data.toString())
      })
    },
  }
}
