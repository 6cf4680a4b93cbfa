import type { Connection, Libp2p, PeerId, Stream, StreamHandler } from '@libp2p/interface'
import { lpStream, streamPair } from '@libp2p/utils'
import { ManualClock } from 'ghostchat/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Logger, silentLogger } from '../../../src/logger.ts'
import { DEPARTURE_GRACE_MS } from '../../../src/node/rendezvous/departures.ts'
import { Registry } from '../../../src/node/rendezvous/registry.ts'
import {
  ADDRESS_RATE,
  CONNECTION_RATE,
  RendezvousServer,
  STREAM_IDLE_MS,
  STREAMS_PER_PEER,
} from '../../../src/node/rendezvous/rendezvous-server.ts'
import { systemRandom } from '../../../src/random.ts'
import {
  decodeRendezvous,
  encodeRendezvous,
  RENDEZVOUS_PROTOCOL,
  type RendezvousMessage,
} from '../../../src/wire/rendezvous.ts'
import { envelopeOf, type Keyed, keyed } from '../../support/signed-records.ts'
import { until } from '../../support/world.ts'

const namespace = 'room'
let clock: ManualClock
let registry: Registry
let server: RendezvousServer
let node: Keyed
let ada: Keyed
let bob: Keyed
let handler: StreamHandler
let handled: string[]
let events: EventTarget
let connected: Set<string>
let warnings: unknown[]

beforeEach(async () => {
  clock = new ManualClock(1_800_000_000_000)
  registry = new Registry({ clock, random: systemRandom })
  ;[node, ada, bob] = [await keyed(), await keyed(), await keyed()]
  events = new EventTarget()
  connected = new Set()
  handled = []
  warnings = []
  const logger: Logger = { debug() {}, warn: (...warning) => void warnings.push(warning) }
  const remoteIpOf = ({ id }: Connection): string => `192.0.2.${id}`
  server = new RendezvousServer({ libp2p: fakeLibp2p(), registry, clock, logger, remoteIpOf })
  await server.start()
})
afterEach(async () => {
  await server.stop()
  expect(clock.pending).toBe(0)
  expect(handled).toEqual([])
})

/** What of a libp2p node a point uses. */
function fakeLibp2p(): Libp2p {
  return {
    peerId: node.peerId,
    addEventListener: events.addEventListener.bind(events),
    removeEventListener: events.removeEventListener.bind(events),
    getConnections: (peerId: PeerId) => (connected.has(peerId.toString()) ? [{}] : []),
    handle: async (protocol: string, onStream: StreamHandler) => {
      handled.push(protocol)
      handler = onStream
    },
    unhandle: async () => void handled.pop(),
  } as unknown as Libp2p
}

/** Another point in the place of the one there was, for which all connections come from one place. */
async function replaceServer(registry: Registry, ip: string | undefined): Promise<void> {
  await server.stop()
  const logger: Logger = { debug() {}, warn() {} }
  server = new RendezvousServer({ libp2p: fakeLibp2p(), registry, clock, logger, remoteIpOf: () => ip })
  await server.start()
}

interface Client {
  stream: Stream
  ask: (message: RendezvousMessage) => Promise<RendezvousMessage | undefined>
  tell: (message: RendezvousMessage) => Promise<void>
  tellBytes: (bytes: Uint8Array) => Promise<void>
  /** Resolves when the server is done with the stream. */
  done: Promise<void>
}

/** A stream of a peer to the point. Connections are named by the last byte of their address. */
async function streamOf({ peerId }: Keyed, connection = '1'): Promise<Client> {
  const [outbound, inbound]: [Stream, Stream] = await streamPair()
  const done = Promise.resolve(handler(inbound, { id: connection, remotePeer: peerId } as Connection))
  const prefixed = lpStream(outbound)
  const tellBytes = (bytes: Uint8Array): Promise<void> => prefixed.write(bytes)
  const tell = (message: RendezvousMessage): Promise<void> => tellBytes(encodeRendezvous(message))
  const ask = async (message: RendezvousMessage): Promise<RendezvousMessage | undefined> => {
    await tell(message)
    return decodeRendezvous((await prefixed.read()).subarray())
  }
  return { stream: outbound, tell, tellBytes, ask, done }
}

async function register(peer: Keyed, signedPeerRecord?: Uint8Array, connection = '1') {
  const client = await streamOf(peer, connection)
  const record = signedPeerRecord ?? (await envelopeOf(peer))
  const answer = await client.ask({ type: 'register', namespace, signedPeerRecord: record })
  await client.stream.close()
  await client.done
  return answer
}
const ok = { type: 'register-response', status: 'OK', ttlSeconds: 7_200 }

describe('a rendezvous point', () => {
  it('answers several requests on one stream, in their order', async () => {
    expect(handled).toEqual([RENDEZVOUS_PROTOCOL])
    const client = await streamOf(ada)
    const signedPeerRecord = await envelopeOf(ada)
    expect(await client.ask({ type: 'register', namespace, signedPeerRecord })).toEqual(ok)
    const found = await client.ask({ type: 'discover', namespace })
    expect(found).toMatchObject({
      status: 'OK',
      registrations: [{ namespace, signedPeerRecord, ttlSeconds: 7_200 }],
    })
    await client.tell({ type: 'unregister', namespace })
    expect(await client.ask({ type: 'discover', namespace })).toMatchObject({ registrations: [] })
    await client.stream.close()
    await client.done
  })

  it('tells how much of its time a registration has left', async () => {
    await register(ada)
    await clock.advance(1_000_500)
    const found = await (await streamOf(bob)).ask({ type: 'discover' })
    expect(found).toMatchObject({ registrations: [{ ttlSeconds: 6_200 }] })
  })

  it('refuses a namespace, a TTL and a cookie with the status of the spec', async () => {
    const client = await streamOf(ada)
    const signedPeerRecord = await envelopeOf(ada)
    const register = { type: 'register', signedPeerRecord } as const
    const cookie = Uint8Array.of(1, 2, 3)
    for (const [request, status] of [
      [register, 'E_INVALID_NAMESPACE'],
      [{ ...register, namespace: '' }, 'E_INVALID_NAMESPACE'],
      [{ ...register, namespace: 'x'.repeat(256) }, 'E_INVALID_NAMESPACE'],
      [{ ...register, namespace, ttlSeconds: 259_201 }, 'E_INVALID_TTL'],
      [{ type: 'discover', namespace: 'x'.repeat(256) }, 'E_INVALID_NAMESPACE'],
      [{ type: 'discover', namespace, cookie }, 'E_INVALID_COOKIE'],
    ] as const) {
      expect(await client.ask(request)).toMatchObject({ status, statusText: expect.any(String) })
    }
    expect(registry.size).toBe(0)
  })

  it('registers nobody but the peer at the other end of the stream', async () => {
    const refused = (status: string) => ({ type: 'register-response', status })
    const invalid = refused('E_INVALID_SIGNED_PEER_RECORD')
    expect(await register(ada, await envelopeOf(bob))).toMatchObject(refused('E_NOT_AUTHORIZED'))
    expect(await register(ada, new Uint8Array())).toMatchObject(invalid)
    expect(await register(ada, new Uint8Array(4_097))).toMatchObject(invalid)
    expect(await register(ada, new Uint8Array(300).fill(7))).toMatchObject(invalid)
    expect(await register(ada, await envelopeOf(ada, { addresses: [] }))).toMatchObject(invalid)
    const padded = Uint8Array.from([...(await envelopeOf(ada)), 0xa2, 0x06, 0])
    expect(await register(ada, padded)).toMatchObject(invalid)
    expect(registry.size).toBe(0)
    expect(await register(ada)).toEqual(ok)
    // One that was verified for somebody else is still somebody else's.
    expect(await register(bob, await envelopeOf(ada))).toMatchObject(refused('E_NOT_AUTHORIZED'))
    expect(registry.namespacesOf(bob.peerId.toString())).toEqual([])
  })

  it('keeps 8 addresses of a record, and the record as it was signed', async () => {
    const addresses = Array.from({ length: 12 }, (_, port) => `/ip4/192.0.2.1/tcp/${port + 1}`)
    const envelope = await envelopeOf(ada, { addresses })
    await register(ada, envelope)
    const kept = registry.peer(ada.peerId.toString())
    expect(kept?.addresses).toEqual(addresses.slice(0, 8))
    expect(kept?.signedPeerRecord).toEqual(envelope)
  })

  it('answers in the form of record that the asker writes, and to others in the one there is', async () => {
    const rust = await envelopeOf(bob, { form: 'rfc0003' })
    await register(bob, rust)
    const eve = await keyed()
    const discover = async (peer: Keyed, cookie?: Uint8Array) => {
      const request = { type: 'discover', namespace, ...(cookie && { cookie }) } as const
      const answer = await (await streamOf(peer)).ask(request)
      if (answer?.type !== 'discover-response') throw new Error('no answer')
      expect(answer.status).toBe('OK')
      return { records: answer.registrations.map((one) => one.signedPeerRecord), cookie: answer.cookie }
    }
    const first = await discover(eve)
    expect(first.records).toEqual([rust])
    const js = await envelopeOf(ada)
    await register(ada, js)
    expect((await discover(ada)).records).toEqual([js])
    expect((await discover(bob)).records).toEqual([rust])
    expect((await discover(eve)).records).toEqual([js])
    // A cookie holds, whatever has come since.
    expect((await discover(eve, first.cookie)).records).toEqual([])
  })

  it('counts connections without an IP address as one address', async () => {
    await replaceServer(
      new Registry({ clock, random: systemRandom, limits: { maxPerAddress: 1 } }),
      undefined,
    )
    expect(await register(ada)).toEqual(ok)
    expect(await register(bob)).toMatchObject({ status: 'E_UNAVAILABLE' })
  })

  it('says so when it fails, and goes on', async () => {
    const discover = registry.discover
    registry.discover = () => {
      throw new Error('a bug')
    }
    const client = await streamOf(ada)
    expect(await client.ask({ type: 'discover' })).toMatchObject({ status: 'E_INTERNAL_ERROR' })
    expect(warnings).toHaveLength(1)
    registry.discover = discover
    expect(await client.ask({ type: 'discover' })).toMatchObject({ status: 'OK' })
  })
})

describe('a client that breaks the rules', () => {
  const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'))

  it.each([
    ['rubbish', bytes('ffffff')],
    ['an empty message', new Uint8Array()],
    ['an answer instead of a request', encodeRendezvous({ type: 'register-response', status: 'OK' })],
    [
      'a request that is too long',
      encodeRendezvous({ type: 'register', namespace, signedPeerRecord: new Uint8Array(5_000) }),
    ],
  ])('is cut off, and nobody else: %s', async (_what, message) => {
    const client = await streamOf(ada)
    await client.tellBytes(message)
    await client.done
    await until(() => client.stream.status !== 'open')
    expect(await register(bob)).toEqual(ok)
  })

  it.each([
    ['more than a request may have, before it sends it', 'ffff7f'],
    ['a length that never ends', 'ffffffff'],
  ])('is cut off when it announces %s', async (_what, prefix) => {
    const client = await streamOf(ada)
    client.stream.send(bytes(prefix))
    await client.done
  })

  it('is cut off when it sends more than it waits to have answered', async () => {
    const client = await streamOf(ada)
    const request = encodeRendezvous({ type: 'register', namespace, signedPeerRecord: new Uint8Array(4_000) })
    const prefixed = Uint8Array.of(0x80 | (request.length & 127), request.length >> 7, ...request)
    const many = Uint8Array.from(
      { length: 70 * prefixed.length },
      (_, at) => prefixed[at % prefixed.length] ?? 0,
    )
    expect(many.length).toBeGreaterThan(256 * 1_024)
    client.stream.send(many)
    await client.done
    await until(() => client.stream.status !== 'open')
  })

  it('is cut off when it breaks off, says nothing, or never finishes', async () => {
    const gone = await streamOf(ada)
    gone.stream.abort(new Error('cable'))
    await gone.done
    const silent = await streamOf(ada)
    const half = await streamOf(ada)
    half.stream.send(bytes('0a08'))
    await clock.advance(STREAM_IDLE_MS - 1)
    expect([silent.stream.status, half.stream.status]).toEqual(['open', 'open'])
    await clock.advance(1)
    await Promise.all([silent.done, half.done])
    expect(await register(bob)).toEqual(ok)
  })

  it(`has no more than ${STREAMS_PER_PEER} streams, over all its connections`, async () => {
    const clients: Client[] = []
    for (let count = 0; count < STREAMS_PER_PEER; count += 1) clients.push(await streamOf(ada, String(count)))
    const further = await streamOf(ada, '99')
    await further.done
    expect(clients.every(({ stream }) => stream.status === 'open')).toBe(true)
    expect(await register(bob)).toEqual(ok)
    await clients[0]?.stream.close()
    await clients[0]?.done
    expect(await register(ada)).toEqual(ok)
  })

  it('asks so often over one connection, then has to wait; others do not', async () => {
    const client = await streamOf(ada, '1')
    for (let count = 0; count < CONNECTION_RATE.burst; count += 1) {
      expect(await client.ask({ type: 'discover' })).toMatchObject({ status: 'OK' })
    }
    expect(await client.ask({ type: 'discover' })).toMatchObject({ status: 'E_UNAVAILABLE' })
    await client.done
    expect(await register(ada, undefined, '1')).toMatchObject({
      type: 'register-response',
      status: 'E_UNAVAILABLE',
    })
    expect(await register(bob, undefined, '2')).toEqual(ok)
    await clock.advance(1_000 / CONNECTION_RATE.perSecond)
    expect(await register(ada, undefined, '1')).toEqual(ok)
  })

  it('cannot ask more often from one address over many connections', async () => {
    await replaceServer(registry, '192.0.2.1')
    const statuses: string[] = []
    const perConnection = CONNECTION_RATE.burst
    for (let connection = 0; connection <= ADDRESS_RATE.burst / perConnection; connection += 1) {
      const client = await streamOf(ada, String(connection))
      for (let count = 0; count < perConnection && statuses.at(-1) !== 'E_UNAVAILABLE'; count += 1) {
        const answer = await client.ask({ type: 'discover' })
        if (answer?.type === 'discover-response') statuses.push(answer.status)
      }
      await client.stream.close()
      await client.done
    }
    expect(statuses.indexOf('E_UNAVAILABLE')).toBe(ADDRESS_RATE.burst)
  })

  it('is a node this one was told of: that asks as often as it likes, for all its clients', async () => {
    await server.stop()
    server = new RendezvousServer({
      libp2p: fakeLibp2p(),
      registry,
      clock,
      logger: silentLogger,
      remoteIpOf: () => '192.0.2.1',
      isNamed: (peerId) => peerId.equals(ada.peerId),
    })
    await server.start()
    const [named, other] = [await streamOf(ada), await streamOf(bob)]
    for (let count = 0; count < CONNECTION_RATE.burst; count += 1) {
      await named.ask({ type: 'discover' })
      await other.ask({ type: 'discover' })
    }
    expect(await named.ask({ type: 'discover' })).toMatchObject({ status: 'OK' })
    expect(await other.ask({ type: 'discover' })).toMatchObject({ status: 'E_UNAVAILABLE' })
    await named.stream.close()
    await Promise.all([named.done, other.done])
  })

  it('pays for what has to be looked at', async () => {
    for (let peer = 0; peer < 1_000; peer += 1) {
      const record = { addresses: ['/ip4/192.0.2.1/tcp/1'], sequence: 1n, form: 'multicodec' } as const
      const signedPeerRecord = Uint8Array.of(peer >> 8, peer & 255)
      registry.register({ ...record, signedPeerRecord, namespace, peerId: `peer ${peer}`, ip: '192.0.2.9' })
    }
    const client = await streamOf(ada)
    let answered = 0
    while (answered <= CONNECTION_RATE.burst) {
      const answer = await client.ask({ type: 'discover' })
      if (answer?.type !== 'discover-response' || answer.status !== 'OK') break
      answered += 1
    }
    // One for the request and four for the 1,000 that were looked at.
    expect(answered).toBe(CONNECTION_RATE.burst / 5)
    await client.done
  })

  it('cannot hold up the end of the point', async () => {
    const client = await streamOf(ada)
    await server.stop()
    await client.done
    expect(clock.pending).toBe(0)
    await server.start()
  })
})

describe('a peer whose last connection closed', () => {
  const here = (): string => `/ip4/192.0.2.1/tcp/1/ws/p2p/${node.peerId.toString()}/p2p-circuit`
  const there = '/ip4/192.0.2.2/tcp/1/ws/p2p/12D3KooWRm8J3iL796zPFi2EtGGtUJn58AG67gcqzMFHZnnsTzqD/p2p-circuit'
  const tell = (event: string): boolean =>
    events.dispatchEvent(new CustomEvent(event, { detail: ada.peerId }))
  const disconnect = (): void => {
    connected.delete(ada.peerId.toString())
    tell('peer:disconnect')
  }
  async function arrive(addresses: string[], sequence = 1n): Promise<void> {
    connected.add(ada.peerId.toString())
    expect(await register(ada, await envelopeOf(ada, { addresses, sequence }))).toEqual(ok)
  }

  it('is dropped after a grace when it could only be reached through this node', async () => {
    await arrive([here(), `${here()}/webrtc`])
    disconnect()
    await clock.advance(DEPARTURE_GRACE_MS - 1)
    expect(registry.size).toBe(1)
    await clock.advance(1)
    expect(registry.size).toBe(0)
    expect(DEPARTURE_GRACE_MS).toBe(15_000)
  })

  it('stays when it comes back in time, and its grace is whole the next time', async () => {
    await arrive([here()])
    disconnect()
    await clock.advance(DEPARTURE_GRACE_MS - 1)
    connected.add(ada.peerId.toString())
    await clock.advance(60_000)
    expect(registry.size).toBe(1)
    disconnect()
    await clock.advance(DEPARTURE_GRACE_MS - 1)
    connected.add(ada.peerId.toString())
    disconnect()
    await clock.advance(DEPARTURE_GRACE_MS - 1)
    expect(registry.size).toBe(1)
    await clock.advance(1)
    expect(registry.size).toBe(0)
  })

  it.each([
    ['an address of its own', () => [here(), '/ip4/192.0.2.7/tcp/1/ws']],
    ['another node', () => [here(), there]],
    ['another node only', () => [there]],
  ])('stays when it has %s', async (_what, addresses) => {
    await arrive(addresses())
    disconnect()
    await clock.advance(60_000)
    expect(registry.size).toBe(1)
    expect(clock.pending).toBe(0)
  })

  it('leaves nothing behind when it had registered nothing, or the point stops', async () => {
    disconnect()
    expect(clock.pending).toBe(0)
    await arrive([here()])
    disconnect()
    expect(clock.pending).toBe(1)
    await server.stop()
    expect(clock.pending).toBe(0)
    await server.start()
  })

  it('is dropped, too, when it registered for the first time while its connection was closing', async () => {
    expect(await register(ada, await envelopeOf(ada, { addresses: [here()] }))).toEqual(ok)
    await clock.advance(DEPARTURE_GRACE_MS - 1)
    expect(registry.size).toBe(1)
    await clock.advance(1)
    expect(registry.size).toBe(0)
  })

  it('stays when a record with other addresses came while its connection was closing', async () => {
    await arrive([here()])
    disconnect()
    await register(ada, await envelopeOf(ada, { addresses: ['/ip4/192.0.2.7/tcp/1/ws'], sequence: 2n }))
    await clock.advance(DEPARTURE_GRACE_MS)
    expect(registry.size).toBe(1)
  })
})
