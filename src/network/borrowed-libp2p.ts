import type { GossipSub } from '@libp2p/gossipsub'
import { multiaddr } from '@multiformats/multiaddr'
import { GhostChatError } from '../errors.ts'
import type { ChatLibp2p } from './libp2p-network.ts'

const SOMEBODY = '12D3KooWGzBXWNvHpLALvz3jhwdMF3jcztLFQp9N2yQQZ9pYqe4A'
const RELAY = `/dns4/node.example/tcp/443/tls/ws/p2p/${SOMEBODY}`

/**
 * Checks that the libp2p node of a dapp has what a chat needs. It may have more.
 *
 * @param needsNodes whether it is to connect to GhostNodes
 * @throws `invalid-option` naming what is missing, and how to add it
 */
export async function checkLibp2p(libp2p: unknown, needsNodes: boolean): Promise<ChatLibp2p> {
  const candidate = libp2p as Partial<ChatLibp2p> | null
  if (typeof candidate?.dial !== 'function' || typeof candidate.services !== 'object') {
    return fail('libp2p must be a libp2p node, of libp2p 3 or later')
  }
  checkPubsub(candidate.services?.pubsub)
  if (candidate.status !== 'started') return fail('the libp2p node is not running: start it first')
  const chat = candidate as ChatLibp2p
  if (needsNodes && !(await canDial(chat, RELAY))) {
    return fail(
      'the libp2p node cannot dial GhostNodes: add `webSockets()` of @libp2p/websockets to its transports',
    )
  }
  if (needsNodes && !(await canDial(chat, `${RELAY}/p2p-circuit/p2p/${SOMEBODY}`))) {
    const advice = 'add `circuitRelayTransport()` of @libp2p/circuit-relay-v2 to its transports'
    return fail(`the libp2p node cannot reach members through a relay: ${advice}`)
  }
  return chat
}

function checkPubsub(pubsub: Partial<GossipSub> | undefined): void {
  const advice = 'use `pubsub: chatGossipsub()` of ghostchat'
  if (typeof pubsub?.getSubscribers !== 'function' || pubsub.topicValidators === undefined) {
    fail(`the libp2p node has no service \`pubsub\` of @libp2p/gossipsub: ${advice}`)
  }
  if (pubsub.globalSignaturePolicy !== 'StrictNoSign') {
    fail(`the service \`pubsub\` must have globalSignaturePolicy 'StrictNoSign': ${advice}`)
  }
}

/** Whether it can connect to members directly, by WebRTC. */
export function canLink(libp2p: ChatLibp2p): Promise<boolean> {
  return canDial(libp2p, `${RELAY}/p2p-circuit/webrtc/p2p/${SOMEBODY}`)
}

/** Whether a transport takes the address; a gater's no counts as well. */
async function canDial(libp2p: ChatLibp2p, address: string): Promise<boolean> {
  return libp2p.isDialable(multiaddr(address)).catch(() => false)
}

function fail(message: string): never {
  throw new GhostChatError('invalid-option', message)
}
