import type { Connection, Libp2p, PeerId, StreamHandler } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { silentLogger } from '../../src/logger.ts'
import { frameStream } from '../../src/network/frame-stream.ts'
import { Wills } from '../../src/node/wills.ts'
import type { SignedEvent } from '../../src/wire/event.ts'
import { assembleJwt, signingInput } from '../../src/wire/jwt.ts'
import { claimsBy, NOW, TOPIC, testAuthor, testPeerId, unsignedBy } from '../support/authors.ts'
import { choppedStreams } from '../support/chopped-stream.ts'
import { HandClock } from '../support/hand-clock.ts'
import { asyncProperty } from '../support/property.ts'
import { runs } from '../support/runs.ts'

const GRACE_MS = 10_000
const peers = [1, 2].map(testPeerId)
const topics = [TOPIC, `${TOPIC}2`]
const peer = fc.nat(1)
const topic = fc.nat(1)
const at = fc.nat(5)

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('will' as const),
      peer,
      topic,
      at,
      isOwn: fc.nat(4).map((n) => n > 0),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('rubbish' as const),
      peer,
      bytes: fc.uint8Array({ maxLength: 60 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('connect' as const), peer }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('lose' as const), peer }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('close page' as const), peer }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('announce' as const), peer, topic, at }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(1_000, 9_999, 10_000) }),
  },
)

/** A node's wills on a libp2p that is none, and what should have become of them. */
class Scene {
  readonly clock = new HandClock()
  readonly events = new EventTarget()
  readonly published: string[] = []
  readonly expected: string[] = []
  readonly connected = new Set<string>(peers)
  readonly wills: Wills
  /** By peer, by topic: the will that counts. */
  readonly #model = new Map<string, Map<string, { jwt: string; at: number }>>()
  /** By peer: when its grace ends. */
  readonly #graces = new Map<string, number>()
  #handler: StreamHandler | undefined

  constructor() {
    const libp2p = {
      addEventListener: this.events.addEventListener.bind(this.events),
      removeEventListener: this.events.removeEventListener.bind(this.events),
      handle: async (_protocol: string, handler: StreamHandler) => {
        this.#handler = handler
      },
      getConnections: (id: PeerId) => (this.connected.has(id.toString()) ? [{}] : []),
    } as unknown as Libp2p
    this.wills = new Wills({
      libp2p,
      clock: this.clock,
      logger: silentLogger,
      wouldAccept: async () => true,
      publish: async (_topic, jwt) => void this.published.push(jwt),
    })
  }

  async run(each: typeof step extends fc.Arbitrary<infer S> ? S : never): Promise<void> {
    if (each.do === 'pass') {
      this.#pass(each.ms)
      return
    }
    const peerId = peers[each.peer] ?? ''
    const id = { toString: () => peerId } as PeerId
    if (each.do === 'will') await this.#entrust(peerId, each)
    else if (each.do === 'rubbish') await this.#leave(peerId, new Uint8Array(each.bytes))
    else if (each.do === 'connect') {
      this.connected.add(peerId)
      this.#graces.delete(peerId)
      this.#tell('peer:connect', id)
    } else if (each.do === 'announce') this.#announce(peerId, topics[each.topic] ?? '', each.at)
    else if (this.connected.delete(peerId)) {
      if (each.do === 'lose' && this.#model.has(peerId)) this.#graces.set(peerId, this.clock.now() + GRACE_MS)
      if (each.do === 'close page') {
        const remoteAddr = multiaddr(`/ip4/192.0.2.${each.peer + 1}/tcp/1/ws`)
        this.wills.pageGone(remoteAddr.toString())
        this.#tell('connection:close', { remotePeer: id, remoteAddr })
        this.#execute(peerId)
      }
      this.#tell('peer:disconnect', id)
    }
  }

  /** Everybody is gone for good. */
  end(): void {
    this.#pass(2 * GRACE_MS)
  }

  #tell(event: string, detail: unknown): void {
    this.events.dispatchEvent(new CustomEvent(event, { detail }))
  }

  async #entrust(peerId: string, will: { topic: number; at: number; isOwn: boolean }): Promise<void> {
    const topic = topics[will.topic] ?? ''
    const body = { peer: will.isOwn ? peerId : testPeerId(9) }
    const options = { topic, at: NOW + will.at, jti: 'AAAAAAAAAAAAAAAAAAAAAA' }
    const jwt = assembleJwt(signingInput(claimsBy(testAuthor(1), 'leave', body, options)), new Uint8Array(64))
    await this.#leave(peerId, new TextEncoder().encode(jwt))
    if (!will.isOwn || !this.connected.has(peerId)) return
    const known = this.#model.get(peerId) ?? new Map<string, { jwt: string; at: number }>()
    this.#model.set(peerId, known)
    if (will.at > (known.get(topic)?.at ?? -1)) known.set(topic, { jwt, at: will.at })
  }

  async #leave(peerId: string, frame: Uint8Array<ArrayBuffer>): Promise<void> {
    const [outbound, inbound] = choppedStreams({ pieces: [200], windowBytes: 10_000 })
    const connection = { remotePeer: { toString: () => peerId } } as Connection
    const reading = this.#handler?.(inbound, connection)
    const stream = frameStream(outbound)
    await stream.send(frame)
    await stream.close()
    await reading
  }

  #announce(peerId: string, topic: string, at: number): void {
    const body = { peer: peerId, data: {} }
    this.wills.seen(
      unsignedBy(testAuthor(1), 'presence', body, { topic, at: NOW + at, jti: 'x' }) as SignedEvent,
    )
    const will = this.#model.get(peerId)?.get(topic)
    if (will !== undefined && at > will.at && this.#graces.has(peerId)) this.#model.get(peerId)?.delete(topic)
  }

  #pass(ms: number): void {
    const end = this.clock.now() + ms
    for (const [peerId, at] of [...this.#graces].sort((a, b) => a[1] - b[1]))
      if (at <= end) this.#execute(peerId)
    this.clock.pass(ms)
  }

  #execute(peerId: string): void {
    for (const { jwt } of this.#model.get(peerId)?.values() ?? []) this.expected.push(jwt)
    this.#model.delete(peerId)
    this.#graces.delete(peerId)
  }
}

describe('wills', () => {
  it('are executed once, the last one of each room, when their client is gone for good, and at no other time', async () => {
    await fc.assert(
      asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
        const scene = new Scene()
        await scene.wills.start()
        for (const each of steps) {
          await scene.run(each)
          expect(scene.published).toEqual(scene.expected)
        }
        scene.end()
        expect(scene.published).toEqual(scene.expected)
        scene.wills.stop()
        expect([scene.wills.size, scene.clock.pending]).toEqual([0, 0])
      }),
      runs(200),
    )
  })
})
