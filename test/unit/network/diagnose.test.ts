import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { describe, expect, it } from 'vitest'
import type { Client } from '../../../src/network/client.ts'
import { diagnose } from '../../../src/network/diagnose.ts'
import type { DiagnosedDevice, Diagnosis } from '../../../src/network/diagnosis.ts'
import type { IceProbe } from '../../../src/network/ice-probe.ts'
import type { NodeLinkState } from '../../../src/network/node-links.ts'
import type { Route } from '../../../src/network/route.ts'
import { NOW, testPeerId } from '../../support/authors.ts'
import { settles } from '../../support/world.ts'

const [ME, NODE, PEER] = [testPeerId(1), testPeerId(2), testPeerId(3)]
const never = new AbortController().signal
const device: DiagnosedDevice = { peerId: PEER, did: 'did:key:z6Mk', rooms: ['lobby'] }
const probe: IceProbe = {
  servers: ['stun:node.example:8787', 'turn:turn.example:3478'],
  silent: ['turn:turn.example:3478'],
  hasAnswer: true,
  hasRelay: false,
  outsideAddress: '192.0.2.1:5000',
}

/** What there is of a client, played by hand. */
interface Found {
  node?: { state: NodeLinkState; peerId?: string; version?: string; clockOffsetMs?: number }
  addresses?: string[]
  links?: string[]
  ping?: (peerId: string, signal: AbortSignal) => Promise<number | undefined>
  direct?: { isAvailable: boolean; probe: () => Promise<IceProbe | undefined>; route?: Route }
  isDirectWanted?: boolean
  /** A transport of the dapp's own libp2p node does WebRTC. */
  canLink?: boolean
}

function look(found: Found, devices: DiagnosedDevice[] = [], signal = never): Promise<Diagnosis> {
  const { node, addresses = [], links = [], ping = async () => 7, direct, canLink = false } = found
  const client = {
    libp2p: {
      peerId: { toString: () => ME },
      isDialable: async (address: Multiaddr) => canLink && address.toString().includes('/webrtc/'),
      getMultiaddrs: () => addresses.map((address) => multiaddr(address)),
    },
    nodes: node && [
      {
        link: { state: node.state },
        known: {
          name: 'https://node.example',
          ...(node.peerId !== undefined && { peerId: { toString: () => node.peerId } }),
          ...(node.version !== undefined && { info: { version: node.version } }),
          ...(node.clockOffsetMs !== undefined && { clockOffsetMs: node.clockOffsetMs }),
        },
      },
    ],
    mesh: { links: () => links.map((peerId) => ({ remotePeer: { toString: () => peerId } })) },
    ping: (peerId: object, within: AbortSignal) => ping(peerId.toString(), within),
    isDirectWanted: found.isDirectWanted ?? true,
    direct: direct && { ...direct, routeTo: async () => direct.route },
  }
  return diagnose({ ...client, nodes: client.nodes ?? [] } as unknown as Client, devices, signal)
}

const connected = { state: { kind: 'connected', since: NOW }, peerId: NODE } as const
const waiting = {
  state: { kind: 'waiting', nextAttemptAt: NOW + 500, reason: 'no route' },
} as const

/** Answers when it is given up, and not before. */
const untilGivenUp = (_peerId: string, signal: AbortSignal): Promise<number> =>
  new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })

describe('a diagnosis', () => {
  it('says of a connected node how fast it answers, whether others come through it, and how its clock differs', async () => {
    const addresses = [`/ip4/127.0.0.1/tcp/1/ws/p2p/${NODE}/p2p-circuit/p2p/${ME}`]
    const node = { ...connected, version: '1.2.3', clockOffsetMs: -40 }
    const { ok, peerId, nodes } = await look({ node, addresses })
    expect({ ok, peerId }).toEqual({ ok: true, peerId: ME })
    expect(nodes).toEqual([
      {
        name: 'https://node.example',
        state: 'connected',
        peerId: NODE,
        version: '1.2.3',
        latencyMs: 7,
        isRelay: true,
        clockOffsetMs: -40,
      },
    ])
    expect((await look({ node: connected })).nodes[0]?.isRelay).toBe(false)
    const atAnother = `/ip4/127.0.0.1/tcp/1/ws/p2p/${PEER}/p2p-circuit/p2p/${ME}`
    expect((await look({ node: connected, addresses: [atAnother] })).nodes[0]?.isRelay).toBe(false)
  })

  it('says of a node that is not connected why, and when it is tried next', async () => {
    const { ok, nodes, problems } = await look({ node: waiting })
    expect(ok).toBe(false)
    expect(nodes).toEqual([
      {
        name: 'https://node.example',
        state: 'waiting',
        isRelay: false,
        reason: 'no route',
        nextAttemptAt: NOW + 500,
      },
    ])
    expect(problems.map(({ code }) => code)).toContain('node-unreachable')
  })

  it('is well where a node or another device is connected, and only there', async () => {
    expect((await look({ node: connected })).ok).toBe(true)
    expect((await look({ node: waiting, links: [PEER] })).ok).toBe(true)
    expect((await look({ links: [PEER] })).direct.connections).toBe(1)
    expect((await look({})).ok).toBe(false)
    expect((await look({ node: { state: { kind: 'connecting' } } })).ok).toBe(false)
  })

  it('says of a device without a direct connection that the way to it is through the nodes', async () => {
    const { peers } = await look({ node: connected, links: [testPeerId(4)] }, [device])
    expect(peers).toEqual([{ ...device, path: 'node' }])
  })

  it.each([
    ['direct', { local: 'host', remote: 'srflx' }],
    ['relayed', { local: 'relay', remote: 'host' }],
    ['relayed', { local: 'host', remote: 'relay' }],
  ])('says of a direct connection that it is %s: %j', async (path, route) => {
    const direct = { isAvailable: true, probe: async () => probe, route }
    const { peers } = await look({ links: [PEER], direct }, [device])
    expect(peers).toEqual([{ ...device, path, candidates: route, latencyMs: 7 }])
  })

  it('says what ICE found, and nothing of it where that failed or there is no WebRTC', async () => {
    const found = await look({ direct: { isAvailable: true, probe: async () => probe } })
    expect(found.direct).toEqual({
      isWanted: true,
      isAvailable: true,
      iceServers: ['stun:node.example:8787', 'turn:turn.example:3478'],
      silentServers: ['turn:turn.example:3478'],
      hasAnswer: true,
      hasRelay: false,
      outsideAddress: '192.0.2.1:5000',
      connections: 0,
    })
    const nothing = { iceServers: [], silentServers: [], hasAnswer: false, hasRelay: false, connections: 0 }
    const failing = { isAvailable: true, probe: async () => Promise.reject(new Error('no ICE')) }
    expect((await look({ direct: failing })).direct).toEqual({
      ...nothing,
      isWanted: true,
      isAvailable: true,
    })
    expect((await look({ canLink: true })).direct).toEqual({
      ...nothing,
      isWanted: true,
      isAvailable: true,
    })
    expect((await look({ isDirectWanted: false })).direct).toEqual({
      ...nothing,
      isWanted: false,
      isAvailable: false,
    })
  })
})

describe('a diagnosis takes no longer than it may', () => {
  it.each([
    ['gives up with it', untilGivenUp],
    ['knows of no end', () => new Promise<number>(() => {})],
  ])('where a ping %s: what is known by then counts', async (_what, ping) => {
    const timeout = new AbortController()
    const looking = look({ node: connected, links: [PEER], ping }, [device], timeout.signal)
    expect(await settles(looking)).toBe(false)
    timeout.abort(new Error('time is up'))
    expect(await settles(looking)).toBe(true)
    const { ok, nodes, peers } = await looking
    expect(ok).toBe(true)
    expect(nodes).toEqual([
      { name: 'https://node.example', state: 'connected', peerId: NODE, isRelay: false },
    ])
    expect(peers).toEqual([{ ...device, path: 'direct' }])
  })
})
