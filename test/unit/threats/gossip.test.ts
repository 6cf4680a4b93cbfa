/** Attacks on what carries the events, each test named after its row in README.md. */

import { identify } from '@libp2p/identify'
import { createLibp2p } from 'libp2p'
import { describe, expect, it } from 'vitest'
import { chatGossipsub, hubGossip } from '../../../src/network/gossip.ts'
import { TOPIC } from '../../support/authors.ts'

/** What gossipsub's class has and its interface does not. */
interface Internals {
  msgIdFn(message: object): Promise<Uint8Array> | Uint8Array
  opts: Record<string, unknown>
  decodeRpcLimits: Record<string, number>
  maxTopicBytesPerPeer: number
  protocols: string[]
}

async function internals(pubsub: ReturnType<typeof chatGossipsub>): Promise<Internals> {
  const { services } = await createLibp2p({ start: false, services: { identify: identify(), pubsub } })
  return services.pubsub as unknown as Internals
}

describe.each([
  ['a client', chatGossipsub],
  ['a node', hubGossip],
])('a row of the threats, for %s', (_who, create) => {
  it('message id from a claim: it comes from topic and bytes, and from nothing an author could choose', async () => {
    const { msgIdFn, opts } = await internals(create())
    const idOf = async (data: string, topic = TOPIC, more = {}): Promise<string> =>
      String(await msgIdFn({ type: 'unsigned', topic, data: new TextEncoder().encode(data), ...more }))
    const id = await idOf('{"jti":"1"}')
    expect(await idOf('{"jti":"1"}', TOPIC, { sequenceNumber: 7n, from: 'mallory', key: 'x' })).toBe(id)
    expect(await idOf('{"jti":"1"} ')).not.toBe(id)
    expect(await idOf('{"jti":"1"}', `${TOPIC}2`)).not.toBe(id)
    expect(opts['seenTTL']).toBe(10 * 60_000)
  })

  it('subscription and control floods: everything a message of gossipsub may hold is bounded', async () => {
    const { opts, decodeRpcLimits, maxTopicBytesPerPeer, protocols } = await internals(create())
    expect(opts['maxInboundDataLength']).toBeLessThanOrEqual(4 * 1024 * 1024)
    expect(Object.values(decodeRpcLimits).every((limit) => limit <= 20_000)).toBe(true)
    expect(Object.keys(decodeRpcLimits)).toHaveLength(7)
    expect(maxTopicBytesPerPeer).toBeLessThanOrEqual(16 * 1024 * 1024)
    expect(opts['fallbackToFloodsub']).toBe(false)
    expect(protocols.some((protocol) => protocol.includes('floodsub'))).toBe(false)
    expect(opts['doPX']).toBe(false)
  })
})
