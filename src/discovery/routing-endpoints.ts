import { type Clock, steady } from '../clock.ts'
import type { FoundPeer } from './found-peer.ts'
import { createRoutingClient, type RoutingClient } from './routing-client.ts'

/** How often endpoints are asked for a room. They are other people's. */
const PAUSE_MS = 60_000

/** The endpoints of delegated routing that somebody named, and what they know of who is in a room. */
export class RoutingEndpoints<Owner> {
  readonly #clock: Clock
  readonly #create: (endpoint: URL) => RoutingClient
  readonly #onFound: (topic: string, found: readonly FoundPeer[]) => void
  readonly #onFailure: (thrown: unknown) => void
  readonly #byOwner = new Map<Owner, RoutingClient[]>()
  /** By topic: when they were asked last. */
  readonly #askedAt = new Map<string, number>()

  constructor(options: {
    clock: Clock
    /** Somebody was found, and nobody signed that. */
    onFound: (topic: string, found: readonly FoundPeer[]) => void
    onFailure: (thrown: unknown) => void
    create?: (endpoint: URL) => RoutingClient
  }) {
    this.#clock = steady(options.clock)
    this.#onFound = options.onFound
    this.#onFailure = options.onFailure
    this.#create = options.create ?? createRoutingClient
  }

  /** Somebody names some, until it goes. */
  add(owner: Owner, endpoints: readonly URL[]): void {
    this.#byOwner.set(
      owner,
      endpoints.map((endpoint) => this.#create(endpoint)),
    )
  }

  remove(owner: Owner): void {
    for (const endpoint of this.#byOwner.get(owner) ?? []) endpoint.stop()
    this.#byOwner.delete(owner)
  }

  /** Asks all of them who is in a room, unless that was less than a minute ago. */
  ask(topic: string): void {
    const now = this.#clock.now()
    if (now - (this.#askedAt.get(topic) ?? Number.NEGATIVE_INFINITY) < PAUSE_MS) return
    this.#askedAt.set(topic, now)
    for (const endpoint of [...this.#byOwner.values()].flat()) {
      endpoint.findProviders(topic).then((found) => this.#onFound(topic, found), this.#onFailure)
    }
  }

  /** The room was left: whoever comes back asks at once. */
  forget(topic: string): void {
    this.#askedAt.delete(topic)
  }
}
