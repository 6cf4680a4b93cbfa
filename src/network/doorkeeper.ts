import type { GossipSub } from '@libp2p/gossipsub'
import type { Libp2p } from '@libp2p/interface'
import type { Clock } from '../clock.ts'
import type { Logger } from '../logger.ts'
import { debit, GRAYLIST_SCORE, scoreOf } from './score.ts'

/** How soon after an offence the score of whoever it was is looked at; gossipsub computes it once a second. */
const LOOK_MS = 250
/** How long after its last offence a neighbour is kept an eye on: longer than its score lags behind. */
const SUSPICION_MS = 3_000
/** How long whoever was put out stays out. Gossipsub forgets a score when its peer reconnects. */
const BAN_MS = 10 * 60_000
/** How many are remembered; a peer id costs nothing, so that somebody may come back as another one. */
const BANS_MAX = 10_000

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
  /** By peer id: when it offended last. */
  readonly #suspects = new Map<string, number>()
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
  }) {
    this.#libp2p = options.libp2p
    this.#pubsub = options.pubsub
    this.#clock = options.clock
    this.#logger = options.logger
    this.#isNamed = options.isNamed
  }

  /** How many are put out. */
  get banned(): number {
    return this.#bans.size
  }

  /**
   * A neighbour brought a message that nobody honest passes on (`reject`), which
   * gossipsub counts, or one too many (`excess`), which costs it `amount`. A named
   * node owes nothing for those: it brings what others write, and passes on what its
   * own rates let through.
   */
  offended(peerId: string, kind: 'reject' | 'excess', amount = 1): void {
    if (kind === 'excess') {
      if (this.#isNamed(peerId)) return
      debit(this.#pubsub, peerId, amount)
    }
    this.#suspects.set(peerId, this.#clock.now())
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
    this.#suspects.clear()
  }

  #look(): void {
    this.#cancelLook = undefined
    const now = this.#clock.now()
    for (const [peerId, at] of this.#suspects) {
      if (scoreOf(this.#pubsub, peerId) < GRAYLIST_SCORE) this.#putOut(peerId)
      if (now - at >= SUSPICION_MS) this.#suspects.delete(peerId)
    }
    if (this.#suspects.size > 0) this.#cancelLook = this.#clock.after(LOOK_MS, () => this.#look())
  }

  #putOut(peerId: string): void {
    this.#suspects.delete(peerId)
    if (this.#isNamed(peerId)) return
    this.#bans.delete(peerId)
    this.#bans.set(peerId, this.#clock.now() + BAN_MS)
    for (const first of this.#bans.keys()) {
      if (this.#bans.size <= BANS_MAX) break
      this.#bans.delete(first)
    }
    this.#logger.debug(`the peer ${peerId} misbehaves and is put out`)
    for (const connection of this.#libp2p.getConnections()) {
      if (connection.remotePeer.toString() === peerId) connection.abort(new Error('misbehaves'))
    }
  }
}
