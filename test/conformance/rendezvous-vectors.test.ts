import { peerIdFromString } from '@libp2p/peer-id'
import { ManualClock } from 'ghostchat/testing'
import { describe, expect, it } from 'vitest'
import { openPeerRecord } from '../../src/discovery/peer-record.ts'
import { Registry } from '../../src/node/rendezvous/registry.ts'
import { RequestHandler } from '../../src/node/rendezvous/request-handler.ts'
import { systemRandom } from '../../src/random.ts'
import { decodeRendezvous, encodeRendezvous, type RendezvousRequest } from '../../src/wire/rendezvous.ts'

/** What rust-libp2p 0.56.0 (libp2p-rendezvous 0.17.1) wrote in a run of `npm run interop`, without the length before it. */
const RUST = {
  register:
    '080012e0010a1733626f782e636861742e6d792d646170702e6c6f62627912c4010a2408011220804de9b1ac057781568f0cc3fb1a252d03e62ab50841f9a2c35e4fa0301322b1121c2f6c69627032702f726f7574696e672d73746174652d7265636f72641a3c0a26002408011220804de9b1ac057781568f0cc3fb1a252d03e62ab50841f9a2c35e4fa0301322b110898281d8061a0c0a0a047f00000106858ddd032a40b0f248f37a5a140b9d11266a908eeaf78e887255aeef672c8fb734088d404686f6fd4465d729983cb0a051c823034dbea8b92d605617f28d48d60acb27157f04',
  registerWithTtl:
    '080012e3010a1733626f782e636861742e6d792d646170702e6c6f62627912c4010a24080112208f9243bb577c8f2b7e1ab24486a5b8f4aa69d41c0343d577987ae03dd89f90c9121c2f6c69627032702f726f7574696e672d73746174652d7265636f72641a3c0a260024080112208f9243bb577c8f2b7e1ab24486a5b8f4aa69d41c0343d577987ae03dd89f90c910898281d8061a0c0a0a047f000001069cdfdd032a40ab43d641068755bc5478ec39f247bb4799d74bb175e6fa2f2c6ce25575b63dc7c62ece43ddda0716a678550b8788a0bf2f52f7ff5dbea74021ae87fde2f2060118904e',
  discover: '08032a190a1733626f782e636861742e6d792d646170702e6c6f626279',
  discoverAll: '08032a00',
  unregister: '080222190a1733626f782e636861742e6d792d646170702e6c6f626279',
  discoverWithLimit: '08032a1b0a1733626f782e636861742e6d792d646170702e6c6f6262791001',
  discoverAgain:
    '08032a4d0a1733626f782e636861742e6d792d646170702e6c6f62627910011a3037f19d1f597cdeaf41414141414141414141414141414143414141414141414141414141414141414141414141414142',
  registered: '08011a05080018a038',
  badTtl: '08011a020866',
  discovered:
    '080432f1030ae4010a1733626f782e636861742e6d792d646170702e6c6f62627912c5010a24080112202d05becddd075d02a90c5d9cfd891b137d1f5cef77b9db08b65bfb5ba4e1fc78121c2f6c69627032702f726f7574696e672d73746174652d7265636f72641a3d0a260024080112202d05becddd075d02a90c5d9cfd891b137d1f5cef77b9db08b65bfb5ba4e1fc7810cc9df8c79f341a0c0a0a047f00000106872ddd032a40a10ab080c1f6993048102c56362e7e4f5de121c8c78f6ba603fb93b0a9d22931ed8d3f4201485cf57cf557efeee5c50aca561d349b0a98bfd7f510677241da0418a0380ae4010a1733626f782e636861742e6d792d646170702e6c6f62627912c5010a24080112204683ae1d9e7bf9b16691a4e4ce9a966e9c7d3cefe71384c12d19bd236392a818121c2f6c69627032702f726f7574696e672d73746174652d7265636f72641a3d0a260024080112204683ae1d9e7bf9b16691a4e4ce9a966e9c7d3cefe71384c12d19bd236392a81810de9df8c79f341a0c0a0a047f000001069269dd032a40d65d2df6b0af39d15a0deccc58cb686328d7a928029718ef0e56640accc0ca788425d37e2057d9d3df13fad8d24def7396c039c647d89f2dc0204d55fe10220118904e121fb0c4d2b7353bbfba33626f782e636861742e6d792d646170702e6c6f6262791800',
  discoveredNothing: '08043223121faa0221808e83e73133626f782e636861742e6d792d646170702e6c6f6262791800',
  badCookie: '080432021867',
} as const

const namespace = '3box.chat.my-dapp.lobby'
const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'))

/** The bytes at the end of a message of rust-libp2p that are a cookie of its own: 8 of an id, then the namespace. */
const cookieOf = (hex: string): Uint8Array => {
  const message = decodeRendezvous(bytes(hex))
  if (message?.type !== 'discover-response' || message.cookie === undefined) throw new Error('no cookie')
  return message.cookie
}

describe('a message of rust-libp2p', () => {
  it.each(Object.entries(RUST))('is written by us in the same bytes: %s', (_name, hex) => {
    const message = decodeRendezvous(bytes(hex))
    if (message === undefined) throw new Error('not read')
    expect(Buffer.from(encodeRendezvous(message)).toString('hex')).toBe(hex)
  })

  it.each([
    ['discover', { type: 'discover', namespace }],
    ['discoverAll', { type: 'discover' }],
    ['discoverWithLimit', { type: 'discover', namespace, limit: 1 }],
    ['unregister', { type: 'unregister', namespace }],
    ['registered', { type: 'register-response', status: 'OK', ttlSeconds: 7_200 }],
    ['badTtl', { type: 'register-response', status: 'E_INVALID_TTL' }],
    ['badCookie', { type: 'discover-response', registrations: [], status: 'E_INVALID_COOKIE' }],
  ] as const)('means to us what it meant to it: %s', (name, meaning) => {
    expect(decodeRendezvous(bytes(RUST[name]))).toEqual(meaning)
  })

  it('has a record in the form of RFC 0003, which we verify', async () => {
    const message = decodeRendezvous(bytes(RUST.registerWithTtl))
    if (message?.type !== 'register') throw new Error('not a REGISTER')
    expect(message).toMatchObject({ namespace, ttlSeconds: 10_000 })
    const record = await openPeerRecord(message.signedPeerRecord ?? new Uint8Array())
    expect(record).toMatchObject({ form: 'rfc0003', sequence: 1_795_178_761n })
    expect(record?.addresses.map(String)).toEqual(['/ip4/127.0.0.1/tcp/40159/ws'])
  })

  it('brings its registrations with a cookie, all of which we take', async () => {
    const message = decodeRendezvous(bytes(RUST.discovered))
    if (message?.type !== 'discover-response') throw new Error('not a DISCOVER_RESPONSE')
    expect(message.registrations.map(({ ttlSeconds }) => ttlSeconds)).toEqual([7_200, 10_000])
    for (const { signedPeerRecord = new Uint8Array() } of message.registrations) {
      expect(await openPeerRecord(signedPeerRecord)).toMatchObject({ form: 'rfc0003' })
    }
    expect(new TextDecoder().decode(cookieOf(RUST.discovered).subarray(8))).toBe(namespace)
  })

  it('registers its sender at our point, and nobody else', async () => {
    const clock = new ManualClock()
    const registry = new Registry({ clock, random: systemRandom })
    const handler = new RequestHandler({ registry })
    const request = decodeRendezvous(bytes(RUST.register)) as RendezvousRequest & { type: 'register' }
    const record = await openPeerRecord(request.signedPeerRecord ?? new Uint8Array())
    const sender = peerIdFromString(record?.peerId ?? '').toString()
    const asker = (peerId: string) => ({ peerId, ip: '192.0.2.1' })
    const stranger = await handler.handle(request, asker('12D3KooWStranger'))
    expect(stranger.answer).toMatchObject({ type: 'register-response', status: 'E_NOT_AUTHORIZED' })
    const answer = await handler.handle(request, asker(sender))
    expect(answer.answer).toEqual({ type: 'register-response', status: 'OK', ttlSeconds: 7_200 })
    expect(registry.namespacesOf(sender)).toEqual([namespace])
  })
})
