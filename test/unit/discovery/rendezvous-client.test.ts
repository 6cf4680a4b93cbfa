import type { Connection, Libp2p, PrivateKey, Stream } from '@libp2p/interface'
import { lpStream, streamPair } from '@libp2p/utils'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { ManualClock } from 'ghostchat/testing'
import { beforeEach, describe, expect, it } from 'vitest'
import { openPeerRecord } from '../../../src/discovery/peer-record.ts'
import { RendezvousClient, RendezvousError } from '../../../src/discovery/rendezvous-client.ts'
import { GhostChatError } from '../../../src/errors.ts'
import {
  decodeRendezvous,
  encodeRendezvous,
  RENDEZVOUS_PROTOCOL,
  type RegisterBody,
  type RendezvousMessage,
} from '../../../src/wire/rendezvous.ts'
import { envelopeOf, type Keyed, keyed } from '../../support/signed-records.ts'
import { until } from '../../support/world.ts'

const namespace = 'room'
const never = new AbortController().signal

/** What a point does with a request, and with the stream it came on. */
type Reaction = (
  request: RendezvousMessage,
  stream: Stream,
) => Uint8Array | RendezvousMessage | 'reset' | 'end' | undefined

let own: Keyed
let ada: Keyed
let point: Keyed
let addresses: Multiaddr[]
let requests: RendezvousMessage[]
let streams: Stream[]
let react: Reaction
let connection: Connection
let libp2p: Libp2p
let clock: ManualClock
let client: RendezvousClient

beforeEach(async () => {
  ;[own, ada, point] = [await keyed(), await keyed(), await keyed()]
  addresses = [multiaddr(`/ip4/192.0.2.9/tcp/1/ws/p2p/${own.peerId.toString()}`)]
  requests = []
  streams = []
  react = () => undefined
  connection = { remotePeer: point.peerId, newStream: openStream } as unknown as Connection
  libp2p = {
    peerId: own.peerId,
    getMultiaddrs: () => addresses,
    dialProtocol: (_peer: unknown, protocol: string) => openStream(protocol),
    components: { privateKey: own.privateKey },
  } as unknown as Libp2p
  clock = new ManualClock(1_800_000_000_000)
  client = new RendezvousClient({ libp2p, clock })
})

async function openStream(protocol: string): Promise<Stream> {
  expect(protocol).toBe(RENDEZVOUS_PROTOCOL)
  const [outbound, inbound]: [Stream, Stream] = await streamPair()
  streams.push(outbound)
  void serve(inbound)
  return outbound
}

async function serve(stream: Stream): Promise<void> {
  const prefixed = lpStream(stream)
  const bytes = await prefixed.read().catch(() => undefined)
  const request = bytes && decodeRendezvous(bytes.subarray())
  if (request === undefined) return
  requests.push(request)
  const reaction = react(request, stream)
  if (reaction === 'reset') stream.abort(new Error('reset'))
  else if (reaction === 'end') await stream.close()
  else if (reaction instanceof Uint8Array) stream.send(reaction)
  else if (reaction !== undefined) await prefixed.write(encodeRendezvous(reaction)).catch(() => {})
}

const discovered = (registrations: RegisterBody[]): RendezvousMessage => ({
  type: 'discover-response',
  registrations,
  status: 'OK',
})
const discover = (options = {}) => client.discover(connection, { namespace, signal: never, ...options })
const register = (options = {}) => client.register(connection, { namespace, signal: never, ...options })

describe('registering', () => {
  it('sends a record with the addresses of now, signed with the key of the libp2p node', async () => {
    react = () => ({ type: 'register-response', status: 'OK', ttlSeconds: 7_200 })
    expect(await register({ ttlSeconds: 9_000 })).toBe(7_200)
    expect(requests).toMatchObject([{ type: 'register', namespace, ttlSeconds: 9_000 }])
    const [request] = requests
    if (request?.type !== 'register') throw new Error('no REGISTER')
    const record = await openPeerRecord(request.signedPeerRecord ?? new Uint8Array())
    expect(record).toMatchObject({ peerId: own.peerId.toString(), form: 'multicodec', isPlain: true })
    // Without the peer id, as in the records of identify.
    expect(record?.addresses.map(String)).toEqual(['/ip4/192.0.2.9/tcp/1/ws'])
  })

  it('signs anew when the addresses have changed, with a higher number, and only then', async () => {
    react = () => ({ type: 'register-response', status: 'OK', ttlSeconds: 7_200 })
    await register()
    await register({ namespace: 'hall' })
    addresses = [multiaddr('/ip4/192.0.2.8/tcp/1/ws')]
    await register()
    const envelopes = requests.map((request) =>
      request.type === 'register' ? request.signedPeerRecord : undefined,
    )
    expect(envelopes[0]).toEqual(envelopes[1])
    const [, second, third] = await Promise.all(
      envelopes.map((envelope) => openPeerRecord(envelope ?? new Uint8Array())),
    )
    expect(third?.addresses.map(String)).toEqual(['/ip4/192.0.2.8/tcp/1/ws'])
    expect(third?.sequence).toBe((second?.sequence ?? 0n) + 1n)
  })

  it('takes the key that is given, and says when there is none', async () => {
    const without = { ...libp2p, components: undefined } as unknown as Libp2p
    react = () => ({ type: 'register-response', status: 'OK', ttlSeconds: 1 })
    const given = new RendezvousClient({ libp2p: without, privateKey: own.privateKey })
    // What holds for a second is renewed as if it held for a minute.
    expect(await given.register(connection, { namespace })).toBe(60)
    react = () => ({ type: 'register-response', status: 'OK', ttlSeconds: Number.MAX_SAFE_INTEGER })
    expect(await given.register(connection, { namespace })).toBe(72 * 60 * 60)
    const none = new RendezvousClient({ libp2p: without })
    await expect(none.register(connection, { namespace })).rejects.toMatchObject({ code: 'invalid-option' })
  })

  it('tries again when signing failed', async () => {
    react = () => ({ type: 'register-response', status: 'OK', ttlSeconds: 1 })
    let works = false
    const privateKey = {
      ...own.privateKey,
      publicKey: own.privateKey.publicKey,
      sign: (data: Uint8Array) => {
        if (works) return own.privateKey.sign(data)
        throw new Error('locked')
      },
    } as PrivateKey
    const locked = new RendezvousClient({ libp2p, privateKey })
    await expect(locked.register(connection, { namespace })).rejects.toThrow('locked')
    works = true
    expect(await locked.register(connection, { namespace })).toBe(60)
  })

  it.each([undefined, 0])(
    'counts on the spec where the point does not say for how long: %s',
    async (ttlSeconds) => {
      react = () => ({ type: 'register-response', status: 'OK', ...(ttlSeconds === 0 && { ttlSeconds }) })
      expect(await register()).toBe(7_200)
      expect(await register({ ttlSeconds: 8_000 })).toBe(8_000)
    },
  )

  it.each([
    ['resets the stream', 'reset'],
    ['ends the stream', 'end'],
    ['says so', { type: 'register-response', status: 'E_INVALID_SIGNED_PEER_RECORD' }],
  ] as const)(
    'offers the form of RFC 0003 to a point that does not take the usual one: it %s',
    async (_how, refused) => {
      const formOf = async (request: RendezvousMessage) => {
        if (request.type !== 'register') throw new Error('no REGISTER')
        return (await openPeerRecord(request.signedPeerRecord ?? new Uint8Array()))?.form
      }
      react = () =>
        requests.length === 1 ? refused : { type: 'register-response', status: 'OK', ttlSeconds: 7_200 }
      expect(await register()).toBe(7_200)
      await register()
      expect(await Promise.all(requests.map(formOf))).toEqual(['multicodec', 'rfc0003', 'rfc0003'])
    },
  )

  it('says what was wrong at first when the point takes neither form', async () => {
    react = () => ({
      type: 'register-response',
      status: requests.length === 1 ? 'E_INVALID_SIGNED_PEER_RECORD' : 'E_INTERNAL_ERROR',
    })
    await expect(register()).rejects.toMatchObject({ status: 'E_INVALID_SIGNED_PEER_RECORD' })
    expect(requests).toHaveLength(2)
  })

  it.each(['E_INVALID_TTL', 'E_UNAVAILABLE', 'E_NOT_AUTHORIZED'] as const)(
    'fails with the status %s',
    async (status) => {
      react = () => ({ type: 'register-response', status, statusText: `because ${'of that '.repeat(1_000)}` })
      const failure = await register().catch((thrown: unknown) => thrown)
      expect(failure).toBeInstanceOf(GhostChatError)
      expect(failure).toMatchObject({ code: 'node-unreachable', status, name: 'RendezvousError' })
      expect((failure as Error).message).toMatch(/because of that/)
      expect((failure as Error).message.length).toBeLessThan(300)
      expect(requests).toHaveLength(1)
    },
  )
})

describe('unregistering', () => {
  it('waits for no answer', async () => {
    await client.unregister(connection, { namespace })
    await until(() => requests.length === 1)
    expect(requests).toEqual([{ type: 'unregister', namespace }])
  })
})

describe('discovering', () => {
  it('finds what peers signed, addressed to them', async () => {
    const addresses = ['/ip4/192.0.2.1/tcp/1/ws', `/ip4/192.0.2.1/tcp/2/ws/p2p/${ada.peerId.toString()}`]
    const signedPeerRecord = await envelopeOf(ada, { addresses })
    const rust = await keyed()
    react = () => ({
      type: 'discover-response',
      registrations: [
        { namespace, signedPeerRecord, ttlSeconds: 60 },
        { namespace, signedPeerRecord: envelopes[0] ?? new Uint8Array() },
      ],
      cookie: Uint8Array.of(1, 2, 3),
      status: 'OK',
    })
    const envelopes = [await envelopeOf(rust, { form: 'rfc0003' })]
    const answer = await discover({ limit: 10, cookie: Uint8Array.of(9) })
    expect(requests).toEqual([{ type: 'discover', namespace, limit: 10, cookie: Uint8Array.of(9) }])
    expect(answer.cookie).toEqual(Uint8Array.of(1, 2, 3))
    expect(
      answer.peers.map(({ peerId, addresses, ttlSeconds }) => [peerId, addresses.map(String), ttlSeconds]),
    ).toEqual([
      [
        ada.peerId.toString(),
        [1, 2].map((port) => `/ip4/192.0.2.1/tcp/${port}/ws/p2p/${ada.peerId.toString()}`),
        60,
      ],
      [rust.peerId.toString(), [`/ip4/192.0.2.1/tcp/1/ws/p2p/${rust.peerId.toString()}`], 0],
    ])
  })

  it('addresses a peer behind a relay as that peer, not as the relay', async () => {
    const relayed = `/ip4/192.0.2.1/tcp/1/ws/p2p/${point.peerId.toString()}/p2p-circuit`
    const signedPeerRecord = await envelopeOf(ada, { addresses: [relayed] })
    react = () => discovered([{ namespace, signedPeerRecord }])
    const { peers } = await discover()
    expect(peers[0]?.addresses.map(String)).toEqual([`${relayed}/p2p/${ada.peerId.toString()}`])
  })

  it('works over a peer id as well', async () => {
    react = () => discovered([])
    await expect(client.discover(point.peerId, {})).resolves.toEqual({ peers: [], cookie: undefined })
    expect(requests).toEqual([{ type: 'discover' }])
  })

  it('leaves out itself, what is not signed, what is of another namespace, and what was not asked for', async () => {
    const [forged, good] = [await envelopeOf(ada), await envelopeOf(ada)]
    forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1
    const others = await Promise.all([1, 2, 3].map(async () => envelopeOf(await keyed())))
    react = () =>
      discovered([
        { namespace, signedPeerRecord: forged },
        { namespace },
        {},
        { namespace, signedPeerRecord: Uint8Array.of(1, 2, 3) },
        { namespace: 'hall', signedPeerRecord: others[0] ?? forged },
        { namespace, signedPeerRecord: ownEnvelope },
        { namespace, signedPeerRecord: good, ttlSeconds: Number.MAX_SAFE_INTEGER },
        { namespace, signedPeerRecord: good, ttlSeconds: 2 ** 60 },
        ...others.map((signedPeerRecord) => ({ namespace, signedPeerRecord })),
      ])
    const ownEnvelope = await envelopeOf(own)
    const all = await discover()
    expect(all.peers).toHaveLength(4)
    expect(all.peers[0]).toMatchObject({ peerId: ada.peerId.toString(), ttlSeconds: 259_200 })
    // Nobody is verified beyond the limit that was asked for.
    expect((await discover({ limit: 7 })).peers).toHaveLength(1)
  })

  it.each([
    ['of another kind', { type: 'register-response', status: 'OK' }],
    ['that is a request', { type: 'discover' }],
    ['that is rubbish', Uint8Array.of(3, 1, 2, 3)],
    ['that is empty', Uint8Array.of(0)],
    ['that is over 4 MiB, before it comes', Uint8Array.of(0x81, 0x80, 0x80, 0x02)],
    ['whose length never ends', new Uint8Array(20).fill(0xff)],
    ['with more than 1,000 registrations', discovered(Array.from({ length: 1_001 }, () => ({ namespace })))],
  ] as [string, Uint8Array | RendezvousMessage][])('fails over an answer %s', async (_what, answer) => {
    react = () => answer
    const failure = await discover().catch((thrown: unknown) => thrown)
    expect(failure).toBeInstanceOf(RendezvousError)
    expect(failure).toMatchObject({ code: 'node-unreachable', status: undefined })
    expect(streams.every(({ status }) => status !== 'open')).toBe(true)
  })

  it.each(['reset', 'end'] as const)(
    'fails when the point says %s instead of an answer',
    async (reaction) => {
      react = () => reaction
      await expect(discover()).rejects.toBeInstanceOf(RendezvousError)
    },
  )

  it('fails when the stream cannot be opened', async () => {
    const closed = {
      remotePeer: point.peerId,
      newStream: () => Promise.reject(new Error('no such protocol')),
    } as unknown as Connection
    await expect(client.discover(closed, {})).rejects.toMatchObject({
      name: 'RendezvousError',
      message: expect.stringContaining('no such protocol'),
    })
  })

  it('ends with the reason of the signal, and ends the stream', async () => {
    const controller = new AbortController()
    const asking = discover({ signal: controller.signal })
    await until(() => requests.length === 1)
    const reason = new Error('enough')
    controller.abort(reason)
    await expect(asking).rejects.toBe(reason)
    await until(() => streams.every(({ status }) => status !== 'open'))
    await expect(discover({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })

  it('fails when no answer comes within 15 s', async () => {
    const asking = discover().catch((thrown: unknown) => thrown)
    await until(() => requests.length === 1)
    await clock.advance(14_999)
    expect(streams[0]?.status).toBe('open')
    await clock.advance(1)
    expect(await asking).toMatchObject({
      name: 'RendezvousError',
      message: expect.stringContaining('too long'),
    })
    expect(streams[0]?.status).not.toBe('open')
    expect(clock.pending).toBe(0)
  })

  it('leaves no stream open with a point that never closes its end, and no timer once it has', async () => {
    react = () => discovered([])
    await discover()
    expect([streams[0]?.status, clock.pending]).toEqual(['open', 1])
    await clock.advance(15_000)
    expect([streams[0]?.status === 'open', clock.pending]).toEqual([false, 0])
    react = (_request, stream) => {
      void stream.close()
      return undefined
    }
    await client.unregister(connection, { namespace })
    await until(() => clock.pending === 0)
  })

  it('carries the status of a refusal, so that a caller whose cookie is too old asks without', async () => {
    react = () => ({ type: 'discover-response', registrations: [], status: 'E_INVALID_COOKIE' })
    await expect(discover({ cookie: Uint8Array.of(1) })).rejects.toMatchObject({ status: 'E_INVALID_COOKIE' })
  })
})
