import type { RecordForm } from '../../wire/rendezvous.ts'
import { Crowd, type Place } from './crowd.ts'
import type { Dice } from './dice.ts'
import type { RegistryLimits } from './limits.ts'
import type { Registration, SignedRecord } from './registration.ts'

/** Somebody with at least one registration. */
export interface Peer {
  readonly peerId: string
  record: SignedRecord
  /** By namespace, the newest last. */
  readonly entries: Map<string, Entry>
  /** How many of them it made here itself. What other nodes say of it is not up to it. */
  ownEntries: number
}

/** A registration where it lies. */
export interface Entry {
  readonly peer: Peer
  readonly namespace: string
  /** Under which address it counts. */
  readonly owner: string
  readonly origin: string
  readonly expiresAtMs: number
  readonly shelf: Shelf
  readonly sequence: number
}

/** The registrations whose records have one form, and what bounds them. */
export class Shelf {
  readonly form: RecordForm
  readonly all = new Crowd<Entry>()
  readonly #dice: Dice
  readonly #limits: RegistryLimits
  readonly #byNamespace = new Map<string, Crowd<Entry>>()
  readonly #peers = new Map<string, Peer>()
  readonly #places = new Map<Entry, { all: Place<Entry>; namespace: Place<Entry> }>()

  constructor(options: { form: RecordForm; dice: Dice; limits: RegistryLimits }) {
    this.form = options.form
    this.#dice = options.dice
    this.#limits = options.limits
  }

  crowd(namespace: string): Crowd<Entry> | undefined {
    return this.#byNamespace.get(namespace)
  }

  peer(peerId: string): Peer | undefined {
    return this.#peers.get(peerId)
  }

  /**
   * The newer one of this record and the one a peer is known by becomes that of
   * all its registrations. Of two that are numbered alike it is this one:
   * rust-libp2p numbers records by the second.
   */
  know(peerId: string, record: SignedRecord): Peer {
    const peer = this.#peers.get(peerId)
    if (peer === undefined) return { peerId, record, entries: new Map(), ownEntries: 0 }
    if (record.sequence >= peer.record.sequence) peer.record = record
    return peer
  }

  add(entry: Entry): void {
    const { peer, namespace, owner, sequence } = entry
    const crowd = this.#byNamespace.get(namespace) ?? new Crowd<Entry>()
    this.#byNamespace.set(namespace, crowd)
    this.#peers.set(peer.peerId, peer)
    peer.entries.set(namespace, entry)
    if (entry.origin === 'local') peer.ownEntries += 1
    this.#places.set(entry, {
      all: this.all.add(entry, owner, sequence),
      namespace: crowd.add(entry, owner, sequence),
    })
  }

  remove(entry: Entry): void {
    const { peer, namespace } = entry
    const places = this.#places.get(entry)
    const crowd = this.#byNamespace.get(namespace)
    if (places === undefined || crowd === undefined) return
    this.#places.delete(entry)
    this.all.remove(places.all)
    crowd.remove(places.namespace)
    if (crowd.size === 0) this.#byNamespace.delete(namespace)
    peer.entries.delete(namespace)
    if (entry.origin === 'local') peer.ownEntries -= 1
    if (peer.entries.size === 0) this.#peers.delete(peer.peerId)
  }

  /**
   * Finds room for one more registration: nothing when there is some, an entry
   * to be removed where that makes some, or the reason why there is none.
   */
  roomFor(peerId: string, namespace: string, owner: string, origin: string): Entry | string | undefined {
    const { maxPerPeer, maxPerAddress, maxPerNamespace, maxTotal } = this.#limits
    const peer = this.#peers.get(peerId)
    const former = peer?.entries.get(namespace)
    if (former?.owner === owner) return undefined
    if (this.all.countOf(owner) >= maxPerAddress) return 'there are too many registrations of this address'
    if (origin === 'local' && former?.origin !== 'local' && (peer?.ownEntries ?? 0) >= maxPerPeer) {
      return 'the peer is registered in too many namespaces'
    }
    if (former !== undefined) return undefined
    const crowd = this.#byNamespace.get(namespace)
    if (crowd !== undefined && crowd.size >= maxPerNamespace) {
      return this.#oneOfTheMost(crowd, owner) ?? 'the namespace is full'
    }
    if (this.all.size >= maxTotal) return this.#oneOfTheMost(this.all, owner) ?? 'the registry is full'
    return undefined
  }

  /** Anyone of the address that has to make room for the newcomer's. */
  #oneOfTheMost(crowd: Crowd<Entry>, owner: string): Entry | undefined {
    const most = crowd.donorFor(owner)?.places ?? []
    return most[this.#dice.below(most.length)]?.item
  }
}

/** A registration as it is told. */
export function toRegistration({ peer, namespace, expiresAtMs, origin }: Entry): Registration {
  const { addresses, signedPeerRecord, form } = peer.record
  return { namespace, peerId: peer.peerId, addresses, signedPeerRecord, form, expiresAtMs, origin }
}
