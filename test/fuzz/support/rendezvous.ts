import { encodeRendezvous, type RendezvousMessage } from '../../../src/wire/rendezvous.ts'
import { TOPIC } from '../../support/authors.ts'
import { peer, recordOf } from './peers.ts'

/** Messages of every type, always the same; those of peer 1 are signed by it. */
export async function rendezvousMessages(): Promise<Uint8Array[]> {
  return (await messages()).map(encodeRendezvous)
}

async function messages(): Promise<RendezvousMessage[]> {
  const [one, two] = [await peer(1), await peer(2)]
  const records = [
    await recordOf(one, 'multicodec', '/ip4/192.0.2.1/tcp/1/ws'),
    await recordOf(one, 'rfc0003', '/ip4/192.0.2.1/tcp/1/ws', '/dns4/example.org/tcp/443/tls/ws'),
    await recordOf(two, 'multicodec', '/ip6/2001:db8::1/udp/1/quic-v1'),
    await recordOf(two, 'rfc0003', '/ip4/192.0.2.1/tcp/1/ws'),
  ]
  const registrations = records.map((signedPeerRecord) => ({
    namespace: TOPIC,
    signedPeerRecord,
    ttlSeconds: 60,
  }))
  return [
    ...records.map((signedPeerRecord) => ({ type: 'register', namespace: TOPIC, signedPeerRecord }) as const),
    { type: 'register', namespace: 'other', signedPeerRecord: new Uint8Array(9), ttlSeconds: 7_200 },
    { type: 'unregister', namespace: TOPIC },
    { type: 'discover' },
    { type: 'discover', namespace: TOPIC, limit: 5 },
    { type: 'discover', namespace: TOPIC, limit: 0, cookie: new Uint8Array(48) },
    { type: 'register-response', status: 'OK', ttlSeconds: 7_200 },
    { type: 'register-response', status: 'E_INVALID_TTL', statusText: 'too long' },
    { type: 'discover-response', status: 'OK', registrations, cookie: new Uint8Array(8) },
    { type: 'discover-response', status: 'OK', registrations: registrations.slice(0, 1) },
    { type: 'discover-response', status: 'E_UNAVAILABLE', registrations: [], statusText: 'later' },
  ]
}
