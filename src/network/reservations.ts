import type { Connection, Listener, Startable } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { Clock } from '../clock.ts'

/** How long to wait before a node that gave no reservation is asked again. */
const RETRY_MS = 30_000

/** What it needs of the libp2p node it is in. */
interface Components {
  transportManager: {
    listen(addresses: Multiaddr[]): Promise<void>
    getListeners(): Listener[]
  }
}

/**
 * A relay reservation at each node, as a service of a libp2p node. Left to itself,
 * libp2p reserves a place at one relay, at whoever it knows that offers to be one:
 * a member could make itself the only way to everybody.
 */
export class Reservations implements Startable {
  readonly #components: Components
  readonly #clock: Clock
  /** By peer id of the node. A listener is used again: libp2p keeps each it ever made. */
  readonly #listeners = new Map<string, Listener>()
  /** By peer id of the node: ends the wait for another attempt. */
  readonly #retries = new Map<string, () => void>()

  #last: Promise<void> = Promise.resolve()

  constructor(components: Components, options: { clock: Clock }) {
    this.#components = components
    this.#clock = options.clock
  }

  start(): void {}

  stop(): void {
    for (const cancel of this.#retries.values()) cancel()
    this.#retries.clear()
  }

  /** Reserves a place at a node, again and again while the connection to it holds. Never rejects. */
  reserveAt(connection: Connection): Promise<void> {
    // One after the other: of two at once, libp2p forgets one.
    this.#last = this.#last.then(() => this.#reserve(connection))
    return this.#last
  }

  async #reserve(connection: Connection): Promise<void> {
    const node = connection.remotePeer.toString()
    this.#retries.get(node)?.()
    this.#retries.delete(node)
    if (connection.status !== 'open') return
    const address = connection.remoteAddr.encapsulate('/p2p-circuit')
    try {
      const known = this.#listeners.get(node)
      if (known === undefined) await this.#listen(node, address)
      else await known.listen(address)
    } catch {
      if (connection.status !== 'open') return
      this.#retries.set(
        node,
        this.#clock.after(RETRY_MS, () => void this.reserveAt(connection)),
      )
    }
  }

  async #listen(node: string, address: Multiaddr): Promise<void> {
    const { transportManager } = this.#components
    const before = new Set(transportManager.getListeners())
    const listening = transportManager.listen([address])
    const listener = transportManager.getListeners().find((candidate) => !before.has(candidate))
    if (listener !== undefined) this.#listeners.set(node, listener)
    await listening
  }
}
