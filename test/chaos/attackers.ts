/**
 * The attackers of an attack, in a process of their own: bare libp2p peers that
 * enter a room and send what they were told to, without manners. Whoever is put out
 * comes back as somebody new.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { GossipSub } from '@libp2p/gossipsub'
import type { PeerId } from '@libp2p/interface'
import { systemClock } from '../../src/clock.ts'
import { type Author, createAuthor } from '../../src/identity/author.ts'
import { openIdentity } from '../../src/identity/identity.ts'
import { systemRandom } from '../../src/random.ts'
import { toBase64url } from '../../src/wire/base64url.ts'
import { encodeFrame } from '../../src/wire/frame.ts'
import { createBarePeer, enterTopic } from '../support/bare-peer.ts'

/** What attackers are told when they are started. */
export interface AttackOrders {
  nodeAddress: string
  topic: string
  kind: 'invalid' | 'sybils'
  attackers: number
  /** How many messages each of them sends. */
  perSecond: number
  /** How many milliseconds after being put out one comes back, with a new peer id and a new key. */
  returnsAfterMs: number
}

/** What attackers tell. */
export type AttackNews =
  | { kind: 'ready' }
  /** Somebody begins to attack. */
  | { kind: 'attacks'; peerId: string; at: number }
  /** Somebody was put out. */
  | { kind: 'out'; peerId: string; at: number; sent: number }

/** How many messages one of several authors of a Sybil writes in a row. */
const MESSAGES_PER_AUTHOR = 20
const TURN_MS = 50

const tell = (news: AttackNews): void => void process.send?.(news)

async function newAuthor(): Promise<Author> {
  const identity = await openIdentity('ephemeral', 'attack', () => {
    throw new Error('an ephemeral identity needs no store')
  })
  return createAuthor(identity, { clock: systemClock, random: systemRandom })
}

/** Messages of one attacker: all wrong by their signature, or all right by authors that are made up. */
async function writer({ kind, topic }: AttackOrders): Promise<() => Promise<Uint8Array<ArrayBuffer>>> {
  let author = await newAuthor()
  let written = 0
  const { jwt } = await author.write(topic, 'message', { text: 'forged' })
  const input = jwt.slice(0, jwt.lastIndexOf('.'))
  return async () => {
    if (kind === 'invalid') return encodeFrame([`${input}.${toBase64url(systemRandom.bytes(64))}`])
    written += 1
    if (written % MESSAGES_PER_AUTHOR === 0) author = await newAuthor()
    const event = await author.write(topic, 'message', { text: `flood ${written}` })
    return encodeFrame([event.jwt])
  }
}

/** It does not care what others write, and has its processor for itself. */
function turnDeaf(pubsub: GossipSub): void {
  const gossip = pubsub as GossipSub & {
    handleReceivedRpc(from: PeerId, rpc: { messages: unknown[] }): Promise<void>
  }
  const handle = gossip.handleReceivedRpc.bind(gossip)
  gossip.handleReceivedRpc = (from, rpc) => handle(from, { ...rpc, messages: [] })
}

/** One life of an attacker: from its first message to the end of its connection. */
async function attack(orders: AttackOrders): Promise<void> {
  const peer = await createBarePeer(orders.nodeAddress)
  const { pubsub } = peer.services
  turnDeaf(pubsub)
  const peerId = peer.peerId.toString()
  let isOut = false
  peer.addEventListener('peer:disconnect', () => {
    isOut = true
  })
  let sent = 0
  try {
    await enterTopic(pubsub, orders.topic)
    const write = await writer(orders)
    const began = Date.now()
    tell({ kind: 'attacks', peerId, at: began })
    while (!isOut) {
      const due = Math.floor(((Date.now() - began) / 1_000) * orders.perSecond)
      for (; sent < due && !isOut; sent += 1)
        await pubsub.publish(orders.topic, await write()).catch(() => {})
      await sleep(TURN_MS)
    }
  } finally {
    tell({ kind: 'out', peerId, at: Date.now(), sent })
    await peer.stop()
  }
}

async function live(orders: AttackOrders): Promise<void> {
  for (;;) {
    await attack(orders).catch(() => {})
    await sleep(orders.returnsAfterMs)
  }
}

process.on('message', (orders: AttackOrders) => {
  for (let number = 0; number < orders.attackers; number += 1) void live(orders)
})
process.on('disconnect', () => process.exit())
tell({ kind: 'ready' })
