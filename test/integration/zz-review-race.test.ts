import { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { identify } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import { test } from 'vitest'
import { chatGossipsub, openSpace } from '../../src/index.ts'
import { atEnd } from '../support/resources.ts'

test('race', async () => {
  const own = await createLibp2p({
    addresses: { listen: ['/p2p-circuit'] },
    transports: [webSockets(), circuitRelayTransport()],
    connectionEncrypters: [noise()], streamMuxers: [yamux()],
    services: { identify: identify(), pubsub: chatGossipsub() },
  })
  atEnd(() => own.stop())
  const o = { libp2p: own, identity: 'ephemeral', logger: { debug() {}, warn() {} } } as const
  const bad: string[] = []
  for (let mode = 0; mode < 3; mode++)
  for (let n = 0; n < 150; n++) {
    const a = await openSpace('one', o)
    if (mode === 2) await a.joinChat('r')
    const opening = mode === 1 ? undefined : openSpace('two', o)
    opening?.catch(() => {})
    const closing0 = mode === 1 ? a.close() : undefined
    if (n >= 100) await new Promise((r) => setTimeout(r, (n - 100) / 10)); else for (let i = 0; i < n; i++) await null
    const closing = closing0 ?? a.close()
    let b
    try { b = await (opening ?? openSpace('two', o)) } catch (e) { bad.push(`m${mode} n${n} open: ${(e as Error).message}`); await closing; continue }
    await closing
    await new Promise((r) => setTimeout(r, 3))
    if (!own.getProtocols().includes('/ghostchat/backlog/1.0.0')) bad.push(`m${mode} n${n}: b is open, its network is closed`)
    await b.close()
  }
  console.log('BAD', bad.length, bad.slice(0, 20))
}, 60_000)
