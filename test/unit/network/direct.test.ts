import type { Connection, PeerId, Stream, Transport } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { ManualClock, settle } from 'ghostchat/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Direct, type DirectComponents, type WebRtc } from '../../../src/network/direct.ts'
import type { IceServer } from '../../../src/wire/node-info.ts'
import { NOW } from '../../support/authors.ts'
import { realPeerId } from '../../support/routing.ts'

type Handler = (stream: Stream, connection: Connection) => Promise<void>
type Upgrade = (socket: object, options: object) => Promise<unknown>

const ids = Array.from({ length: 6 }, (_, index) => realPeerId(index))
const [ada = '', bob = ''] = ids

let clock: ManualClock
let admitted: string[]
let iceServers: IceServer[]
/** What the transport was made with. */
let made: { init: { rtcConfiguration?: unknown }; components: DirectComponents } | undefined
let handler: Handler
let reached: string[]
let lifecycle: string[]
let transport: Transport | undefined
let dialled: { upgrader: { upgradeOutbound: Upgrade } } | undefined
let direct: Direct

const upgrade: Upgrade = async () => ({})
const upgrader = {
  createInboundAbortSignal: (signal: AbortSignal) => signal,
  getStreamMuxers: () => new Map(),
  getConnectionEncrypters: () => new Map(),
  upgradeInbound: upgrade,
  upgradeOutbound: upgrade,
}

/** What a browser has of a connection. */
function peerConnection(local: string): RTCPeerConnection {
  const stats = [
    { id: 'T', type: 'transport', selectedCandidatePairId: 'P' },
    { id: 'P', type: 'candidate-pair', localCandidateId: 'L', remoteCandidateId: 'R' },
    { id: 'L', type: 'local-candidate', candidateType: local },
    { id: 'R', type: 'remote-candidate', candidateType: 'host' },
  ]
  return Object.assign(new EventTarget(), {
    connectionState: 'connected',
    getStats: async () => new Map(stats.map((stat) => [stat.id, stat])),
  }) as unknown as RTCPeerConnection
}

/** The transport's side of a connection. */
function socketWith(local?: string): EventTarget & { peerConnection?: RTCPeerConnection } {
  return Object.assign(
    new EventTarget(),
    local === undefined ? {} : { peerConnection: peerConnection(local) },
  )
}

const webRtc: WebRtc = {
  transport: ((init: { rtcConfiguration?: unknown }) => (components: DirectComponents) => {
    made = { init, components }
    return {
      async start() {
        lifecycle.push('start')
        const onStream = async (_stream: Stream, { remotePeer }: Connection): Promise<void> =>
          void reached.push(remotePeer.toString())
        await components.registrar.handle('/webrtc-signaling/0.0.1', onStream)
      },
      async stop() {
        lifecycle.push('stop')
      },
      async dial(_address: Multiaddr, options: typeof dialled) {
        dialled = options
      },
    } as unknown as Transport
  }) as unknown as WebRtc['transport'],
  PeerConnection: class {
    iceGatheringState = 'complete'
    onicegatheringstatechange = (): void => {}
    createDataChannel = (): object => ({ close: () => {} })
    createOffer = async (): Promise<object> => ({})
    setLocalDescription = async (): Promise<void> => this.onicegatheringstatechange()
    close(): void {}
  } as unknown as WebRtc['PeerConnection'],
}

beforeEach(() => {
  clock = new ManualClock(NOW)
  admitted = [...ids]
  iceServers = [{ urls: 'stun:node.example:8787' }]
  reached = []
  lifecycle = []
  made = undefined
  dialled = undefined
  const components = {
    peerId: peerIdFromString(realPeerId(99)),
    registrar: {
      handle: async (_protocol: string, onStream: Handler) => {
        handler = onStream
      },
      unhandle: async () => {},
    },
    upgrader,
    transportManager: {
      add: (added: Transport) => {
        transport = added
        lifecycle.push('add')
      },
      listen: async (addresses: Multiaddr[]) => void lifecycle.push(`listen ${addresses.map(String)}`),
    },
    connectionManager: {},
    events: new EventTarget(),
    logger: {},
  } as unknown as DirectComponents
  direct = new Direct(components, { clock, iceServers: async () => iceServers })
  direct.admits = (peerId) => admitted.includes(peerId)
})
afterEach(async () => {
  await direct.stop()
  expect(clock.pending).toBe(0)
})

/** By peer id: the stream over which somebody began to connect to us. */
const streams = new Map<string, Stream>()

/** Somebody begins to connect to us; answers whether it may. */
async function arrive(peerId: string): Promise<boolean> {
  let isAborted = false
  const stream = Object.assign(new EventTarget(), { abort: () => (isAborted = true) }) as unknown as Stream
  streams.set(peerId, stream)
  await handler(stream, { remotePeer: peerIdFromString(peerId) } as Connection)
  return !isAborted
}

/** A connection comes about. */
async function connected(
  peerId: string | undefined,
  way: 'upgradeInbound' | 'upgradeOutbound',
  local?: string,
): Promise<EventTarget> {
  const socket = socketWith(local)
  const remotePeer: PeerId | undefined = peerId === undefined ? undefined : peerIdFromString(peerId)
  const { upgrader: watched } = (made?.components ?? {}) as unknown as {
    upgrader: Record<typeof way, Upgrade>
  }
  await watched[way](socket, remotePeer === undefined ? {} : { remotePeer })
  return socket
}

describe('direct connections', () => {
  it('are not available before their code has been loaded', async () => {
    expect(direct.isAvailable).toBe(false)
    expect(await direct.probe(new AbortController().signal)).toBeUndefined()
    expect(await direct.routeTo(ada)).toBeUndefined()
    await direct.enable(webRtc)
    expect(direct.isAvailable).toBe(true)
    expect(lifecycle).toEqual(['add', 'start', 'listen /webrtc'])
  })

  it('use the ICE servers of the moment', async () => {
    await direct.enable(webRtc)
    const configure = made?.init.rtcConfiguration as () => Promise<RTCConfiguration>
    expect(await configure()).toEqual({ iceServers: [{ urls: 'stun:node.example:8787' }] })
    iceServers = [{ urls: 'stun:other.example:1' }]
    expect(await configure()).toEqual({ iceServers })
    expect(await direct.probe(new AbortController().signal)).toMatchObject({
      servers: ['stun:other.example:1'],
    })
  })

  it('are refused to those who may not connect', async () => {
    await direct.enable(webRtc)
    admitted = [bob]
    expect([await arrive(ada), await arrive(bob)]).toEqual([false, true])
    expect(reached).toEqual([bob])
  })

  it('are refused to everybody as long as nobody has said who may', async () => {
    const fresh = new Direct({} as DirectComponents, { clock, iceServers: async () => [] })
    expect(fresh.admits(ada)).toBe(false)
    await fresh.stop()
  })

  it('come about one at a time with each peer, and four at a time in all', async () => {
    await direct.enable(webRtc)
    expect([await arrive(ada), await arrive(ada)]).toEqual([true, false])
    const answers: boolean[] = []
    for (const peerId of ids.slice(1)) answers.push(await arrive(peerId))
    expect(answers).toEqual([true, true, true, false, false])
    expect(reached).toEqual(ids.slice(0, 4))
  })

  it('are not asked about twice: who is refused for another reason changes nothing', async () => {
    await direct.enable(webRtc)
    const askedAbout: string[] = []
    direct.admits = (peerId) => askedAbout.push(peerId) > 0
    for (const peerId of [ada, ada, ...ids]) await arrive(peerId)
    expect(askedAbout).toEqual(ids.slice(0, 4))
  })

  it('make room for others when they came about, or 15 s after they did not', async () => {
    await direct.enable(webRtc)
    for (const peerId of ids.slice(0, 4)) await arrive(peerId)
    await connected(ada, 'upgradeInbound', 'host')
    expect([await arrive(ids[4] ?? ''), await arrive(ids[5] ?? '')]).toEqual([true, false])
    await clock.advance(14_999)
    expect(await arrive(ids[5] ?? '')).toBe(false)
    await clock.advance(1)
    expect([await arrive(ids[5] ?? ''), await arrive(bob)]).toEqual([true, true])
  })

  it('are none where the other side has given up in the middle', async () => {
    await direct.enable(webRtc)
    const { upgrader: watched } = (made?.components ?? {}) as unknown as { upgrader: Record<string, Upgrade> }
    let isAborted = false
    const dead = Object.assign(peerConnection('host'), { connectionState: 'failed' })
    const socket = Object.assign(new EventTarget(), { peerConnection: dead, abort: () => (isAborted = true) })
    expect(() => watched['upgradeInbound']?.(socket, { remotePeer: peerIdFromString(ada) })).toThrow(
      'did not come about',
    )
    expect(isAborted).toBe(true)
    expect(await direct.routeTo(ada)).toBeUndefined()
  })

  it('make room for others as soon as an attempt has failed', async () => {
    await direct.enable(webRtc)
    for (const peerId of ids.slice(0, 4)) await arrive(peerId)
    expect(await arrive(ids[4] ?? '')).toBe(false)
    streams.get(ids[0] ?? '')?.dispatchEvent(new Event('close'))
    expect(await arrive(ids[4] ?? '')).toBe(true)
  })

  it.each(['upgradeInbound', 'upgradeOutbound'] as const)(
    'tell their route until they end: %s',
    async (way) => {
      await direct.enable(webRtc)
      const socket = await connected(ada, way, 'srflx')
      expect(await direct.routeTo(ada)).toEqual({ local: 'srflx', remote: 'host' })
      expect(await direct.routeTo(bob)).toBeUndefined()
      socket.dispatchEvent(new Event('close'))
      expect(await direct.routeTo(ada)).toBeUndefined()
    },
  )

  it('tell the route of the newest one to a peer, also when an older one ends later', async () => {
    await direct.enable(webRtc)
    const older = await connected(ada, 'upgradeOutbound', 'srflx')
    await connected(ada, 'upgradeInbound', 'relay')
    older.dispatchEvent(new Event('close'))
    expect(await direct.routeTo(ada)).toEqual({ local: 'relay', remote: 'host' })
  })

  it('are watched when this device makes them', async () => {
    await direct.enable(webRtc)
    await transport?.dial(multiaddr('/webrtc'), { upgrader } as never)
    await dialled?.upgrader.upgradeOutbound(socketWith('prflx'), { remotePeer: peerIdFromString(bob) })
    expect(await direct.routeTo(bob)).toEqual({ local: 'prflx', remote: 'host' })
  })

  it.each(['before', 'after'])(
    'leave it to whoever dialled to close the channel that it waits for: it came %s the muxer',
    async (when) => {
      const closed: string[] = []
      const channels = ['init', ''].map((label) => ({ label, close: () => void closed.push(label) }))
      const early = when === 'before' ? channels.map((channel) => ({ channel })) : []
      await direct.enable(webRtc)
      const socket = socketWith('host')
      const { upgrader: watched } = (made?.components ?? {}) as unknown as {
        upgrader: Record<string, Upgrade>
      }
      const options = { remotePeer: peerIdFromString(ada), muxerFactory: { earlyDataChannels: early } }
      await watched['upgradeInbound']?.(socket, options)
      if (when === 'after') {
        for (const channel of channels)
          socket.peerConnection?.dispatchEvent(Object.assign(new Event('datachannel'), { channel }))
      }
      for (const channel of channels) channel.close()
      expect(closed).toEqual([''])
    },
  )

  it.each([
    ['Firefox', 'Chromium', ['init']],
    ['Firefox', 'Firefox', []],
    ['Chromium', 'Firefox', []],
    ['Chromium', 'Chromium', []],
  ])(
    'close the channel at once only where that never ends otherwise: here %s, there %s',
    async (here, there, expected) => {
      const sdp = {
        Firefox: 'v=0\r\no=mozilla...THIS_IS_SDPARTA-99.0 1 0 IN IP4 0.0.0.0',
        Chromium: 'v=0\r\no=- 8 2 IN IP4 1',
      }
      const closed: string[] = []
      const channel = { label: 'init', close: () => void closed.push('init') }
      await direct.enable(webRtc)
      const socket = socketWith('host')
      Object.assign(socket.peerConnection ?? {}, {
        localDescription: { sdp: sdp[here as keyof typeof sdp] },
        remoteDescription: { sdp: sdp[there as keyof typeof sdp] },
      })
      const { upgrader: watched } = (made?.components ?? {}) as unknown as {
        upgrader: Record<string, Upgrade>
      }
      const muxerFactory = { earlyDataChannels: [{ channel }] }
      await watched['upgradeInbound']?.(socket, { remotePeer: peerIdFromString(ada), muxerFactory })
      channel.close()
      expect(closed).toEqual(expected)
    },
  )

  it('may come without what the browser has of them, or without a name', async () => {
    await direct.enable(webRtc)
    await connected(ada, 'upgradeInbound')
    await connected(undefined, 'upgradeInbound', 'host')
    expect(await direct.routeTo(ada)).toBeUndefined()
  })

  it('end with the libp2p node', async () => {
    await direct.enable(webRtc)
    await arrive(ada)
    expect(clock.pending).toBe(1)
    await direct.stop()
    expect(clock.pending).toBe(0)
    expect(lifecycle.at(-1)).toBe('stop')
  })

  it('do not begin when the libp2p node was stopped before their code was there', async () => {
    await direct.stop()
    await direct.enable(webRtc)
    await settle()
    expect(lifecycle).toEqual([])
    expect(direct.isAvailable).toBe(false)
  })
})
