import type { Connection, PeerId } from '@libp2p/interface'
import type { Clock } from '../clock.ts'
import { RateLimit } from '../gate/rate-limit.ts'
import { rateKeyOf } from './rate-key.ts'
import { ipOf } from './relay-limits.ts'
import { isLoopback } from './remote-ip.ts'

/** How many circuits a peer opens to one member at once, and a second: a backlog of 4 MiB takes four. */
const PEER_BURST = 16
const PEER_PER_SECOND = 0.5
/** How many all who share an address do: an office that comes online asks the same few members. */
const ADDRESS_BURST = 64
const ADDRESS_PER_SECOND = 2
/** How many pairs are remembered, of either kind. */
const MAX_PAIRS = 16_384

/**
 * How fast circuits to one member are opened. To the member all of them come from the address of the node, and each waits for
 * a handshake, of which it lets so many in: one stranger could keep everybody else from it.
 */
export class CircuitRates {
  readonly #byPeer: RateLimit
  readonly #byAddress: RateLimit

  constructor(clock: Clock) {
    const table = { clock, maxKeys: MAX_PAIRS }
    this.#byPeer = new RateLimit({ ...table, burst: PEER_BURST, perSecond: PEER_PER_SECOND })
    this.#byAddress = new RateLimit({ ...table, burst: ADDRESS_BURST, perSecond: ADDRESS_PER_SECOND })
  }

  /**
   * Whether a peer may open a circuit to another one now.
   *
   * @param connections of the peer to the node. Everybody on this machine is exempt from sharing an address, as with reservations.
   */
  admits(source: PeerId, destination: PeerId, connections: readonly Connection[]): boolean {
    if (this.#byPeer.take(`${source} ${destination}`) > 0) return false
    const [ip] = connections.map(({ remoteAddr }) => ipOf(remoteAddr))
    if (ip === undefined || isLoopback(ip)) return true
    return this.#byAddress.take(`${rateKeyOf(ip)} ${destination}`) === 0
  }
}
