import type { Libp2p, PrivateKey } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { CODE_P2P } from '@multiformats/multiaddr'
import type { Clock } from '../clock.ts'
import { GhostChatError } from '../errors.ts'
import type { RecordForm } from '../wire/rendezvous.ts'
import { ADDRESSES_MAX, sealPeerRecord } from './peer-record.ts'

/** What this device signs about where it can be reached. Signed anew when that changes, and not before. */
export class OwnRecord {
  readonly #libp2p: Libp2p
  readonly #privateKey: PrivateKey | undefined
  readonly #clock: Clock
  readonly #sealed = new Map<RecordForm, { addresses: string; envelope: Promise<Uint8Array> }>()
  #sequence = 0

  constructor(options: { libp2p: Libp2p; privateKey?: PrivateKey | undefined; clock: Clock }) {
    this.#libp2p = options.libp2p
    this.#privateKey = options.privateKey
    this.#clock = options.clock
  }

  /**
   * The signed envelope of a record with the addresses of now, 8 at the most.
   *
   * @throws `invalid-option` when the libp2p node does not give out its key
   */
  async seal(form: RecordForm): Promise<Uint8Array> {
    const multiaddrs = this.#addresses()
    const addresses = multiaddrs.join()
    const known = this.#sealed.get(form)
    if (known?.addresses === addresses) return known.envelope
    // Higher than any before, for a clock that stands still or was set back.
    this.#sequence = Math.max(this.#sequence + 1, this.#clock.now())
    const envelope = sealPeerRecord(
      keyOf(this.#libp2p, this.#privateKey),
      form,
      multiaddrs,
      BigInt(this.#sequence),
    )
    this.#sealed.set(form, { addresses, envelope })
    envelope.catch(() => this.#sealed.delete(form))
    return envelope
  }

  #addresses(): Multiaddr[] {
    const own = this.#libp2p.getMultiaddrs().slice(0, ADDRESSES_MAX)
    // As identify does: whose addresses they are, the record says.
    return own.map((address) => address.decapsulateCode(CODE_P2P))
  }
}

/**
 * libp2p keeps no signed record of its own node where one could fetch it, and
 * hands its key to its services only; its class has them as `components`.
 */
function keyOf(libp2p: Libp2p, given: PrivateKey | undefined): PrivateKey {
  const { components } = libp2p as Libp2p & { components?: { privateKey?: PrivateKey } }
  const key = given ?? components?.privateKey
  if (typeof key?.sign === 'function') return key
  throw new GhostChatError('invalid-option', 'the libp2p node gives no access to its private key')
}
