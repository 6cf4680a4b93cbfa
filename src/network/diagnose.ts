import type { PeerId } from '@libp2p/interface'
import { untilAborted } from '../abort.ts'
import { canLink } from './borrowed-libp2p.ts'
import type { Client, ClientNode } from './client.ts'
import type {
  DiagnosedDevice,
  Diagnosis,
  DirectDiagnosis,
  NodeDiagnosis,
  PeerDiagnosis,
} from './diagnosis.ts'
import { problemsOf } from './problems.ts'
import { pathOf } from './route.ts'

/** Looks at everything at once; what does not answer in time counts as not working. */
export async function diagnose(
  client: Client,
  devices: readonly DiagnosedDevice[],
  signal: AbortSignal,
): Promise<Diagnosis> {
  const { libp2p } = client
  const [nodes, probe, isAvailable, peers] = await Promise.all([
    Promise.all(client.nodes.map((node) => diagnoseNode(client, node, signal))),
    client.direct?.probe(signal).catch(() => undefined),
    client.direct?.isAvailable ?? canLink(libp2p),
    Promise.all(devices.map((device) => diagnosePeer(client, device, signal))),
  ])
  const direct: DirectDiagnosis = {
    isWanted: client.isDirectWanted,
    isAvailable,
    iceServers: probe?.servers ?? [],
    silentServers: probe?.silent ?? [],
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

/** A dapp's own libp2p node may have a ping that does not know when to give up. */
async function ping(client: Client, peerId: PeerId, signal: AbortSignal): Promise<number | undefined> {
  return untilAborted(client.ping(peerId, signal), signal).catch(() => undefined)
}
