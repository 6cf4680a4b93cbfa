import type { Registration, SignedRecord } from '../../src/node/rendezvous/registration.ts'
import type { Lookup, RegisterResult, Registry } from '../../src/node/rendezvous/registry.ts'
import type { RecordForm } from '../../src/wire/rendezvous.ts'

/** An IP address for each number. */
export function ip(number: number): string {
  return `198.${18 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`
}

/** A record that nobody signed: a registry believes whoever fills it. */
export function recordOf(
  peerId: string,
  options: { sequence?: bigint; address?: string; form?: RecordForm; bytes?: number } = {},
): SignedRecord {
  const {
    sequence = 1n,
    address = `/ip4/192.0.2.1/tcp/1/p2p/${peerId}`,
    form = 'multicodec',
    bytes,
  } = options
  const text = new TextEncoder().encode(`${peerId} ${sequence}`)
  const signedPeerRecord = new Uint8Array(bytes ?? text.length)
  signedPeerRecord.set(text)
  return { addresses: [address], signedPeerRecord, sequence, form }
}

/** Registers a peer, by default in `room` from one address. What was learnt from a node has the address of that, where it counts. */
export function registered(
  registry: Registry,
  peerId: string,
  options: {
    namespace?: string
    ip?: string
    ttlSeconds?: number | undefined
    origin?: string
    record?: SignedRecord
  } = {},
): RegisterResult {
  const { namespace = 'room', ttlSeconds, origin, record = recordOf(peerId) } = options
  const request = { ...record, namespace, peerId, ttlSeconds }
  return registry.register(
    origin === undefined
      ? { ...request, ip: options.ip ?? '192.0.2.1' }
      : { ...request, origin, ip: options.ip },
  )
}

/** What a lookup finds. */
export function found(registry: Registry, lookup: Lookup): Registration[] {
  const answer = registry.discover(lookup)
  if (answer.status !== 'OK') throw new Error(`${answer.status}: ${answer.text}`)
  return answer.registrations
}
