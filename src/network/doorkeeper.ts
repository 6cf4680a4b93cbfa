import type { GossipSub } from '@libp2p/gossipsub'
import type { Libp2p } from '@libp2p/interface'
import { type Clock, steady } from '../clock.ts'
import type { Logger } from '../logger.ts'
import { onNeedless } from './intake.ts'
import { debit, GRAYLIST_SCORE, scoreOf } from './score.ts'

/** How soon after an offence the score of whoever it was is looked at. */
const LOOK_MS = 250
/** How long after its last offence a neighbour is kept an eye on. */
const SUSPICION_MS = 3_000
/** How long whoever was put out for wrong messages stays out. Gossipsub forgets a score when its peer reconnects. */
const BAN_MS = 10 * 60_000
/** How long for too many: it may be a device at full speed in a room that others flood. */
const EXCESS_BAN_MS = 60_000
/** How long after somebody was put out others from its address pay … */
const TROUBLE_MS = 60_000
/** … so many times as much for a message too many. Whoever brings none pays nothing, and is not concerned. */
const TROUBLE_FACTOR = 5
/** How many are remembered; a peer id costs nothing, so that somebody may come back as another one. */
const BANS_MAX = 10_000

/** A neighbour that offended. */
interface Suspect {
  /** When it did last. */
  at: number
  kind: 'reject' | 'excess'
  /** Where it came from then: whoever hangs up itself has no address any more. */
  address: string | undefined
}

/**
 * Puts those neighbours out that misbehave: gossipsub takes whoever is below zero
 * out of its meshes and does not listen to whoever is below the last threshold, but
 * the connection would stay, and everything they send would still be read.
 * Only the peer itself is put out, never its address: others share it.
 */
export class Doorkeeper {
  readonly #libp2p: Libp2p
  readonly #pubsub: GossipSub
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #isNamed: (peerId: string) => boolean
  readonly #addressOf: (peerId: string) => string | undefined
  readonly #priceOf: (peerId: string) => number
  readonly #suspects = new Map<string, Suspect>()
  /** By address: until when whoever comes from there is suspected of being somebody who was put out. */
  readonly #trouble = new Map<string, number>()
  /** By peer id: until when it stays out, the first one first. */
  readonly #bans = new Map<string, number>()
  #cancelLook: (() => void) | undefined

  constructor(options: {
    libp2p: Libp2p
    pubsub: GossipSub
    clock: Clock
    logger: Logger
    /**
     * Whether a peer is a node that was named by hand. Nobody hangs up on it: it is
     * not listened to while its score is what it is, and it would be dialled again.
     */
    isNamed: (peerId: string) => boolean
    /** Where a peer comes from, in a form that is the same for all who share an address; nothing where that says nothing. */
    addressOf: (peerId: string) => string | undefined
    /** What a message too many costs a neighbour: 1, less for one that brings those of many. */
    priceOf: (peerId: string) => number
  }) {
    this.#libp2p = options.libp2p
    this.#pubsub = options.pubsub
    this.#clock = steady(options.clock)
    this.#logger = options.logger
    this.#isNamed = options.isNamed
    this.#addressOf = options.addressOf
    this.#priceOf = options.priceOf
    onNeedless(this.#pubsub, (peerId, amount) => this.offended(peerId, 'excess', amount))
  }

  /** How many are put out. */
  get banned(): number {
    return this.#bans.size
  }

  /**
   * A neighbour brought a message that nobody honest passes on (`reject`), which
   * gossipsub counts, or too many (`excess`): so many, or a fraction of one. A named
   * node owes nothing for those: it brings what others write, and passes on what its
   * own rates let through.
   */
  offended(peerId: string, kind: 'reject' | 'excess', amount = 1): void {
    const suspect = this.#suspects.get(peerId)
    const address = suspect?.address ?? this.#addressOf(peerId)
    if (kind === 'excess') {
      if (this.#isNamed(peerId)) return
      const price = this.#priceOf(peerId) * (this.#isTroubled(address) ? TROUBLE_FACTOR : 1)
      debit(this.#pubsub, peerId, amount * price)
    }
    const worst = suspect?.kind === 'reject' ? 'reject' : kind
    this.#suspects.set(peerId, { at: this.#clock.now(), kind: worst, address })
    this.#cancelLook ??= this.#clock.after(LOOK_MS, () => this.#look())
  }

  /** Whether a peer was put out, and may not come in yet. */
  isBanned(peerId: string): boolean {
    const until = this.#bans.get(peerId)
    if (until === undefined) return false
    if (until > this.#clock.now()) return true
    this.#bans.delete(peerId)
    return false
  }

  close(): void {
    this.#cancelLook?.()
    this.#cancelLook = undefined
    onNeedless(this.#pubsub, () => {})
    this.#suspects.clear()
  }

  #look(): void {
    this.#cancelLook = undefined
    const now = this.#clock.now()
    for (const [peerId, suspect] of this.#suspects) {
      if (scoreOf(this.#pubsub, peerId) < GRAYLIST_SCORE) this.#putOut(peerId, suspect)
      if (now - suspect.at >= SUSPICION_MS) this.#suspects.delete(peerId)
    }
    if (this.#suspects.size > 0) this.#cancelLook = this.#clock.after(LOOK_MS, () => this.#look())
  }

  /** Whether somebody from an address was put out lately. */
  #isTroubled(address = ''): boolean {
    return (this.#trouble.get(address) ?? 0) > this.#clock.now()
  }

  #putOut(peerId: string, { kind, address }: Suspect): void {
    this.#suspects.delete(peerId)
    if (this.#isNamed(peerId)) return
    const now = this.#clock.now()
    remember(this.#bans, peerId, now + (kind === 'reject' ? BAN_MS : EXCESS_BAN_MS))
    if (address !== undefined) remember(this.#trouble, address, now + TROUBLE_MS)
    this.#logger.debug(`the peer ${peerId} misbehaves and is put out`)
    for (const connection of this.#libp2p.getConnections()) {
      if (connection.remotePeer.toString() === peerId) connection.abort(new Error('misbehaves'))
    }
  }
}

/** Notes something in a table that does not grow without end; the first one in is the first one out. */
function remember(table: Map<string, number>, key: string, until: number): void {
  table.delete(key)
  table.set(key, until)
  for (const first of table.keys()) {
    if (table.size <= BANS_MAX) break
    table.delete(first)
  }
}
