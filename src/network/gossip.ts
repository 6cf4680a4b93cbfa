import {
  type GossipSub,
  type GossipSubComponents,
  type GossipsubOpts,
  StrictNoSign,
  TopicValidatorResult,
} from '@libp2p/gossipsub'
import { sha256 } from '@noble/hashes/sha2.js'
import { guardIntake } from './intake.ts'
import { scoredGossipsub, scoreTopic } from './score.ts'

const utf8 = new TextEncoder()

/**
 * The most bytes of one gossipsub RPC, and of what may wait for a peer that does
 * not read. An RPC carries more than one message: a hub's first one names all its
 * rooms. Whoever is over it is dropped by gossipsub.
 */
const RPC_MAX_BYTES = 4 * 1024 * 1024

/**
 * What every participant must agree on: the JWTs authenticate themselves, so
 * gossipsub adds no signature, and the id of a gossip message comes from its
 * bytes and from nothing its author could choose.
 */
const WIRE: Partial<GossipsubOpts> = {
  globalSignaturePolicy: StrictNoSign,
  msgIdFn: messageId,
  msgIdToStrFn: messageIdText,
  seenTTL: 10 * 60_000,
  fallbackToFloodsub: false,
  doPX: false,
  ignoreDuplicatePublishError: true,
  // A client has one or two neighbours: telling each that it has a message already costs more than hearing it twice.
  idontwantMinDataSize: 16 * 1024,
  maxInboundDataLength: RPC_MAX_BYTES,
  maxOutboundBufferSize: RPC_MAX_BYTES,
  decodeRpcLimits: {
    maxSubscriptions: 20_000,
    maxMessages: 1_000,
    maxIhaveMessageIDs: 5_000,
    maxIwantMessageIDs: 5_000,
    maxIdontwantMessageIDs: 512,
    maxControlMessages: 5_000,
    maxPeerInfos: 16,
  },
}

function messageId({ topic, data }: { topic: string; data: Uint8Array }): Uint8Array {
  return sha256.create().update(utf8.encode(topic)).update(data).digest()
}

/** Bytes are characters: in base64 the text is put together one by one, and V8 keeps every step, 640 bytes for each id. */
function messageIdText(id: Uint8Array): string {
  return String.fromCharCode(...id)
}

/** A gossipsub that says what every participant says, scores its neighbours, and looks at nothing that is not for it. */
function gossipOf(options: Partial<GossipsubOpts>): (components: GossipSubComponents) => GossipSub {
  const create = scoredGossipsub({ ...WIRE, ...options })
  return (components) => guardIntake(create(components))
}

/** Rooms one device may be in, times about 1.3 KiB that gossipsub accounts for each. */
const CLIENT_TOPIC_BYTES = 16 * 1024 * 1024
const HUB_TOPIC_BYTES = 1024 * 1024

/** How many direct neighbours a client asks for messages when no node brings them. */
const CLIENT_D = 4

/**
 * Gossipsub for somebody who chats. A node brings every message of a room, and
 * what direct neighbours bring besides would only be heard twice: a client whose
 * mesh has anybody in it asks nobody else (`Dlo` 1). Left alone, it asks its
 * neighbours within a second. Nobody refuses to be asked, and what a client writes
 * itself goes to all neighbours at once (`floodPublish`).
 */
export function chatGossipsub(): (components: GossipSubComponents) => GossipSub {
  return gossipOf({
    D: CLIENT_D,
    Dlo: 1,
    Dout: 0,
    opportunisticGraftPeers: 0,
    // A neighbour that was given back is needed again as soon as the node is gone.
    pruneBackoff: 10_000,
    floodPublish: true,
    maxTopicBytesPerPeer: CLIENT_TOPIC_BYTES,
  })
}

/**
 * Subscribes to a topic, in which neighbours are scored from now on. With a node at hand nobody is asked for messages yet: the
 * node grafts by itself, and where it does not, the next heartbeat asks others.
 */
export function subscribe(pubsub: GossipSub, topic: string, hasNode: boolean): void {
  scoreTopic(pubsub, topic)
  const { opts } = pubsub as GossipSub & { opts?: { D: number } }
  if (opts === undefined || !hasNode) {
    pubsub.subscribe(topic)
    return
  }
  const degree = opts.D
  opts.D = 0
  try {
    pubsub.subscribe(topic)
  } finally {
    opts.D = degree
  }
}

/**
 * Gossipsub for a node. A hub's mesh must hold all its clients: with the degree
 * of a client, 12 at the most, the 13th member of a room gets its messages only
 * by the way of later gossip, late or never.
 */
export function hubGossip(): (components: GossipSubComponents) => GossipSub {
  return gossipOf({
    D: 512,
    Dlo: 256,
    Dhi: 4096,
    Dout: 2,
    floodPublish: true,
    maxTopicBytesPerPeer: HUB_TOPIC_BYTES,
  })
}

/** What the gate says to a gossip message, in gossipsub's words. */
export const VALIDATION = {
  accept: TopicValidatorResult.Accept,
  ignore: TopicValidatorResult.Ignore,
  excess: TopicValidatorResult.Ignore,
  reject: TopicValidatorResult.Reject,
}

/**
 * Has gossipsub forget bytes that it took and handed to nobody: it would take them for seen at the next attempt. Its cache
 * has no method for that.
 */
export function unsee(pubsub: GossipSub, topic: string, data: Uint8Array): void {
  const { seenCache } = pubsub as GossipSub & { seenCache?: { entries?: Map<string, unknown> } }
  seenCache?.entries?.delete(messageIdText(messageId({ topic, data })))
}

/**
 * Whether gossipsub has a stream to write to a peer. It may have none to one that is connected: what it is handed for that
 * one is lost. `streamsOutbound` is public on its class, though not on its interface.
 */
export function hasStreamTo(pubsub: GossipSub, peerId: string): boolean {
  const { streamsOutbound } = pubsub as GossipSub & { streamsOutbound?: Map<string, unknown> }
  return streamsOutbound?.has(peerId) ?? true
}
