import type { GossipSub } from '@libp2p/gossipsub'
import type { PeerId } from '@libp2p/interface'
import { inTurns } from './in-turns.ts'

/**
 * What gossipsub takes in, before it looks at it. This file alone reaches into gossipsub for that: it takes messages of
 * a topic that nobody here is in for right and remembers each for minutes, and it asks no price for an RPC that
 * says nothing.
 */

/**
 * What a message of a topic costs that nobody here is in. Whoever enters a room at a node that has no place for it sends there
 * for 5 s, 200 messages at the most: a fifth of what is forgiven.
 */
const STRAY_DEBIT = 0.1
/** What an RPC costs in which there is nothing, or that cannot be read. No honest peer sends one. */
const EMPTY_DEBIT = 1

interface Rpc {
  subscriptions: readonly unknown[]
  messages: readonly { topic: string }[]
  control?: object
}

/** What gossipsub's class has and its interface does not. */
interface Internals {
  subscriptions: ReadonlySet<string>
  pipePeerReadStream(from: PeerId, source: AsyncIterable<unknown>): Promise<void>
  decodeRpc(bytes: unknown): Rpc
  handleReceivedRpc(from: PeerId, rpc: Rpc): Promise<void>
}

type OnNeedless = (peerId: string, amount: number) => void

/** By gossipsub: who is told of what it had no use for. */
const listeners = new WeakMap<GossipSub, OnNeedless>()

/** Has somebody told which neighbour sends what nobody has a use for, and how much of an offence that is. */
export function onNeedless(pubsub: GossipSub, listener: OnNeedless): void {
  listeners.set(pubsub, listener)
}

/** Lets gossipsub see only what is for it, and in turns with everything else. */
export function guardIntake(pubsub: GossipSub): GossipSub {
  const inner = pubsub as GossipSub & Internals
  const read = inner.pipePeerReadStream.bind(inner)
  const decode = inner.decodeRpc.bind(inner)
  const handle = inner.handleReceivedRpc.bind(inner)
  inner.pipePeerReadStream = (from, source) => read(from, inTurns(source))
  inner.decodeRpc = (bytes) => {
    try {
      return decode(bytes)
    } catch {
      return { subscriptions: [], messages: [] }
    }
  }
  inner.handleReceivedRpc = async (from, rpc) => {
    const messages = rpc.messages.filter(({ topic }) => inner.subscriptions.has(topic))
    const strays = rpc.messages.length - messages.length
    const needless = strays * STRAY_DEBIT + (isEmpty(rpc) ? EMPTY_DEBIT : 0)
    if (needless > 0) listeners.get(pubsub)?.(from.toString(), needless)
    await handle(from, { ...rpc, messages })
  }
  return pubsub
}

function isEmpty({ subscriptions, messages, control = {} }: Rpc): boolean {
  return [subscriptions, messages, ...Object.values(control)].every((list) => list.length === 0)
}
