import type { PeerId } from '@libp2p/interface'
import type { Client, ClientNode } from './client.ts'
import { problemsOf } from './problems.ts'
import { pathOf } from './route.ts'

/** What works and what does not, and what to do about it. */
export interface Diagnosis {
  /** Whether messages get out: a node or another device is connected. */
  ok: boolean
  /** The transport id of this device. */
  peerId: string
  nodes: NodeDiagnosis[]
  direct: DirectDiagnosis
  /** The other devices in the rooms of this space. */
  peers: PeerDiagnosis[]
  /** What does not work, each with what to do about it. Empty when all is well. */
  problems: Problem[]
}

/** A node, as seen from this device. */
export interface NodeDiagnosis {
  /** As the application names it. */
  name: string
  state: 'connecting' | 'connected' | 'waiting'
  peerId?: string
  version?: string
  /** How long a ping takes, there and back, in milliseconds. */
  latencyMs?: number
  /** Whether others reach this device through the node. */
  isRelay: boolean
  /** This device's clock less the node's, in milliseconds. */
  clockOffsetMs?: number
  /** Why it is not connected. */
  reason?: string
  /** When the next attempt is made, in milliseconds since the Unix epoch. */
  nextAttemptAt?: number
}

/** How this device gets direct connections. */
export interface DirectDiagnosis {
  /** Whether there is WebRTC here, and the application lets it be used. */
  isAvailable: boolean
  /** The STUN and TURN servers that are asked. */
  iceServers: string[]
  /** Whether they answered: UDP gets out of this network. */
  hasAnswer: boolean
  /** The outside address of this device, as they see it: IP address and port. Not told where it is one of the device's own. */
  outsideAddress?: string
  /** Whether a TURN server granted a relay. */
  hasRelay: boolean
  /** How many direct connections there are. */
  connections: number
}

/** Another device, and the way to it. */
export interface PeerDiagnosis {
  peerId: string
  /** Whose device it is. */
  did: string
  /** The names of the rooms it is in. */
  rooms: string[]
  /** `direct`: from device to device; `relayed`: through a TURN server; `node`: through the nodes. */
  path: 'direct' | 'relayed' | 'node'
  /** Where the direct connection begins and ends, in ICE's terms: `host`, `srflx`, `prflx` or `relay`. */
  candidates?: { local: string; remote: string }
  /** How long a ping over the direct connection takes, there and back, in milliseconds. */
  latencyMs?: number
}

/** Something that does not work. */
export interface Problem {
  code:
    | 'no-nodes'
    | 'node-unreachable'
    | 'no-relay'
    | 'clock-skew'
    | 'no-webrtc'
    | 'no-stun-answer'
    | 'no-turn-answer'
  /** What is wrong. */
  message: string
  /** What to do about it. */
  advice: string
}

/** A device of the rooms, before anything is known of the way to it. */
export type DiagnosedDevice = Pick<PeerDiagnosis, 'peerId' | 'did' | 'rooms'>

/** Looks at everything at once; what does not answer in time counts as not working. */
export async function diagnose(
  client: Client,
  devices: readonly DiagnosedDevice[],
  signal: AbortSignal,
): Promise<Diagnosis> {
  const { libp2p } = client
  const [nodes, probe, peers] = await Promise.all([
    Promise.all(client.nodes.map((node) => diagnoseNode(client, node, signal))),
    client.direct?.probe(signal).catch(() => undefined),
    Promise.all(devices.map((device) => diagnosePeer(client, device, signal))),
  ])
  const direct: DirectDiagnosis = {
    isAvailable: client.direct?.isAvailable ?? false,
    iceServers: probe?.servers ?? [],
    hasAnswer: probe?.hasAnswer ?? false,
    hasRelay: probe?.hasRelay ?? false,
    ...(probe?.outsideAddress !== undefined && { outsideAddress: probe.outsideAddress }),
    connections: client.mesh.links().length,
  }
  const isConnected = nodes.some(({ state }) => state === 'connected') || direct.connections > 0
  const findings = { ok: isConnected, peerId: libp2p.peerId.toString(), nodes, direct, peers }
  return { ...findings, problems: problemsOf(findings) }
}

async function diagnoseNode(
  client: Client,
  { known, link }: ClientNode,
  signal: AbortSignal,
): Promise<NodeDiagnosis> {
  const { state } = link
  const { peerId, info, clockOffsetMs } = known
  const latencyMs =
    state.kind === 'connected' && peerId !== undefined ? await ping(client, peerId, signal) : undefined
  const reservation = `/p2p/${peerId?.toString()}/p2p-circuit`
  return {
    name: known.name,
    state: state.kind,
    isRelay: client.libp2p.getMultiaddrs().some((address) => address.toString().includes(reservation)),
    ...(peerId !== undefined && { peerId: peerId.toString() }),
    ...(info !== undefined && { version: info.version }),
    ...(clockOffsetMs !== undefined && { clockOffsetMs }),
    ...(latencyMs !== undefined && { latencyMs }),
    ...(state.kind === 'waiting' && { reason: state.reason, nextAttemptAt: state.nextAttemptAt }),
  }
}

async function diagnosePeer(
  client: Client,
  device: DiagnosedDevice,
  signal: AbortSignal,
): Promise<PeerDiagnosis> {
  const { peerId } = device
  const link = client.mesh.links().find(({ remotePeer }) => remotePeer.toString() === peerId)
  if (link === undefined) return { ...device, path: 'node' }
  const [route, latencyMs] = await Promise.all([
    client.direct?.routeTo(peerId),
    ping(client, link.remotePeer, signal),
  ])
  return {
    ...device,
    path: pathOf(route),
    ...(route !== undefined && { candidates: { local: route.local, remote: route.remote } }),
    ...(latencyMs !== undefined && { latencyMs }),
  }
}

async function ping(client: Client, peerId: PeerId, signal: AbortSignal): Promise<number | undefined> {
  return client.ping(peerId, signal).catch(() => undefined)
}
