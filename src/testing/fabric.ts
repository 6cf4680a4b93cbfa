import { untilAborted } from '../abort.ts'
import type { FrameStream } from '../network/network.ts'
import type { Weather } from './conditions.ts'
import { MemoryGossip } from './memory-gossip.ts'
import { type MemoryChannel, MemoryPeer, type Wires } from './memory-peer.ts'
import { type BreakOff, type Lane, memoryStreams } from './memory-stream.ts'
import { isJoined, missingLinks } from './topology.ts'

type Pair = readonly [MemoryPeer, MemoryPeer]

/** What holds a network in memory together: who is connected with whom, and what goes over it. */
export class Fabric implements Wires {
  readonly #weather: Weather
  /** How many neighbours a peer looks for; `undefined`: all there are. */
  readonly #wanted: number | undefined
  readonly #gossip: MemoryGossip
  readonly #peers = new Map<string, MemoryPeer>()
  readonly #streams = new Set<{ here: MemoryPeer; there: MemoryPeer; breakOff: BreakOff }>()
  /** Connections that are being made. */
  readonly #coming = new Map<MemoryPeer, Set<MemoryPeer>>()
  #part: (peerId: string) => number = () => 0

  constructor(weather: Weather, wanted: number | undefined) {
    this.#weather = weather
    this.#wanted = wanted
    this.#gossip = new MemoryGossip(weather, {
      floods: wanted !== undefined,
      neighbours: (channel) => this.neighboursOf(channel),
      carries: (from, to) => this.carries(from, to),
      reaches: (from, to) => this.reaches(from, to),
    })
  }

  add(relays: boolean): MemoryPeer {
    const peer = new MemoryPeer(this, this.#weather.random, relays)
    this.#peers.set(peer.peerId, peer)
    this.#weave(peer)
    return peer
  }

  /** Whether one peer can send something to another. */
  carries(from: MemoryPeer, to: MemoryPeer): boolean {
    return !from.isGone && !from.isCutOff && this.reaches(from, to)
  }

  /** Whether what one peer has sent gets to another: also when the sender is gone by now. */
  reaches(from: MemoryPeer, to: MemoryPeer): boolean {
    return !to.isGone && !to.isCutOff && this.#part(from.peerId) === this.#part(to.peerId)
  }

  neighboursOf({ peer, topic }: MemoryChannel): MemoryChannel[] {
    const neighbours: MemoryChannel[] = []
    for (const linked of peer.links) {
      const channel = linked.channels.get(topic)
      if (channel !== undefined) neighbours.push(channel)
    }
    return neighbours
  }

  publish(channel: MemoryChannel, data: Uint8Array<ArrayBuffer>): number {
    return this.#gossip.publish(channel, data)
  }

  joined(channel: MemoryChannel): void {
    tell(this.neighboursOf(channel))
    this.#weave(channel.peer, channel)
  }

  left(channel: MemoryChannel): void {
    tell(this.neighboursOf(channel))
    if (this.#wanted !== undefined) this.#weave()
  }

  rewire(part: (peerId: string) => number): void {
    this.#part = part
    const peers = [...this.#peers.values()]
    const cut = peers.flatMap((peer) => [...peer.links].map((other): Pair => [peer, other]))
    this.#notice(cut.filter(([a, b]) => a.peerId < b.peerId && !this.carries(a, b)))
    this.#weave()
  }

  /** Gone, and says so: the connections are closed. */
  close(peer: MemoryPeer): void {
    if (!this.#remove(peer)) return
    // After what it said last.
    const ms = this.#weather.conditions.latencyMs[1]
    if (ms === 0) this.#drop(linksOf(peer))
    else this.#weather.timer(ms, () => this.#drop(linksOf(peer)))
  }

  crash(peerId: string): void {
    const peer = this.#peerOf(peerId)
    this.#remove(peer)
    this.#notice(linksOf(peer))
  }

  sleep(peerId: string): void {
    const peer = this.#peerOf(peerId)
    if (peer.isAsleep) return
    const sleep = peer.fallAsleep()
    this.#afterNotice(() => {
      if (peer.isGone || !peer.isIn(sleep)) return
      peer.isCutOff = true
      this.#drop(linksOf(peer))
    })
  }

  wake(peerId: string): void {
    const peer = this.#peerOf(peerId)
    peer.isCutOff = false
    peer.awake()
    this.#weave(peer)
  }

  async open(from: MemoryChannel, peerId: string, signal: AbortSignal): Promise<FrameStream> {
    signal.throwIfAborted()
    if (this.#memberFor(from, peerId) === undefined) await this.#pause(this.#weather.noticeMs(), signal)
    else await this.#pause(this.#weather.latencyMs(), signal)
    if (from.peer.isGone) await untilAborted(new Promise<never>(() => {}), signal)
    const member = this.#memberFor(from, peerId)
    if (member === undefined) throw new Error(`the peer ${peerId} cannot be reached`)
    const ends = { here: from.peer, there: member.peer }
    const onLost = (): void => this.#afterNotice(() => this.#break(entry, 'the connection was lost'))
    const [here, there, breakOff] = memoryStreams({
      there: this.#lane(ends.here, ends.there, onLost),
      back: this.#lane(ends.there, ends.here, onLost),
      breaks: () => this.#weather.strikes(this.#weather.conditions.breakage),
      onEnd: () => this.#streams.delete(entry),
    })
    const entry = { ...ends, breakOff }
    this.#streams.add(entry)
    queueMicrotask(() => ends.there.receive(() => member.handler.onStream(there, ends.here.peerId)))
    return here
  }

  #memberFor(from: MemoryChannel, peerId: string): MemoryChannel | undefined {
    const peer = this.#peers.get(peerId)
    if (peer === undefined || peer === from.peer || !this.carries(from.peer, peer)) return undefined
    return peer.channels.get(from.topic)
  }

  /** One direction of a stream: its frames take their time and keep their order. */
  #lane(from: MemoryPeer, to: MemoryPeer, onLost: () => void): Lane {
    let lastAt = 0
    let underWay = 0
    return (arrive) => {
      if (!this.carries(from, to)) {
        onLost()
        return
      }
      const now = this.#weather.now()
      lastAt = Math.max(lastAt, now + this.#weather.latencyMs())
      const come = (): void => (this.reaches(from, to) ? to.receive(arrive) : onLost())
      if (lastAt === now && underWay === 0) {
        come()
        return
      }
      underWay += 1
      this.#weather.timer(lastAt - now, () => {
        underWay -= 1
        come()
      })
    }
  }

  #break(stream: { here: MemoryPeer; there: MemoryPeer; breakOff: BreakOff }, reason: string): void {
    if (!this.#streams.delete(stream)) return
    const { here, there, breakOff } = stream
    breakOff(
      new Error(reason),
      (learn) => here.receive(learn),
      (learn) => there.receive(learn),
    )
  }

  /** Connections are gone; in a while that is noticed, unless they are back by then. */
  #notice(pairs: readonly Pair[]): void {
    if (this.#weather.conditions.noticeMs[1] === 0) {
      this.#drop(pairs)
      return
    }
    for (const [a, b] of pairs) {
      this.#afterNotice(() => {
        if (a.links.has(b) && !this.carries(a, b)) this.#drop([[a, b]])
      })
    }
  }

  /** Connections are gone, and everybody knows it. */
  #drop(pairs: readonly Pair[]): void {
    const lost = new Map<MemoryPeer, string[]>()
    for (const [a, b] of pairs) {
      a.links.delete(b)
      b.links.delete(a)
      lost.set(a, [...(lost.get(a) ?? []), b.peerId])
      lost.set(b, [...(lost.get(b) ?? []), a.peerId])
    }
    for (const stream of [...this.#streams]) {
      if (!this.carries(stream.here, stream.there)) this.#break(stream, 'the connection was lost')
    }
    for (const [peer, peerIds] of lost) peer.lost(peerIds)
    this.#weave()
  }

  /** Makes the connections that are wanted and can be: those of one peer where it is named and all are wanted. */
  #weave(peer?: MemoryPeer, joining?: MemoryChannel): void {
    const changed = new Set<MemoryChannel>()
    for (const [a, b] of this.#missing(peer)) {
      const ms = this.#weather.latencyMs()
      if (ms === 0) for (const channel of this.#link(a, b)) changed.add(channel)
      else this.#linkLater(a, b, ms)
    }
    // Who is joining finds its neighbours there when it has joined.
    if (joining !== undefined) changed.delete(joining)
    tell(changed)
  }

  #missing(peer: MemoryPeer | undefined): Pair[] {
    const isOpen = (a: MemoryPeer, b: MemoryPeer): boolean => !a.isAsleep && !b.isAsleep && this.carries(a, b)
    const isLinked = (a: MemoryPeer, b: MemoryPeer): boolean =>
      a.links.has(b) || this.#coming.get(a)?.has(b) === true
    const peers = [...this.#peers.values()]
    if (this.#wanted === undefined) {
      const ones = peer === undefined ? peers : [peer]
      return ones.flatMap((a, index) =>
        (peer === undefined ? peers.slice(index + 1) : peers)
          .filter((b) => a !== b && isOpen(a, b) && !isLinked(a, b))
          .map((b): Pair => [a, b]),
      )
    }
    const { random } = this.#weather
    const wanted = this.#wanted
    const topics = new Set(peers.flatMap(({ channels }) => [...channels.keys()]))
    return [...topics].flatMap((topic) =>
      missingLinks(
        peers.filter(({ channels }) => channels.has(topic)),
        { wanted, random, isOpen, isLinked },
      ),
    )
  }

  #linkLater(a: MemoryPeer, b: MemoryPeer, ms: number): void {
    for (const [one, other] of [
      [a, b],
      [b, a],
    ] as const) {
      const coming = this.#coming.get(one) ?? new Set()
      this.#coming.set(one, coming.add(other))
    }
    this.#weather.timer(ms, () => {
      this.#coming.get(a)?.delete(b)
      this.#coming.get(b)?.delete(a)
      if (this.carries(a, b) && !a.links.has(b)) tell(this.#link(a, b))
      else this.#weave()
    })
  }

  /** Answers the channels that have a new neighbour. */
  #link(a: MemoryPeer, b: MemoryPeer): MemoryChannel[] {
    const shared = [...a.channels.keys()].filter((topic) => b.channels.has(topic))
    const isWider = this.#wanted !== undefined && a.links.size > 0 && b.links.size > 0 && !isJoined(a, b)
    a.links.add(b)
    b.links.add(a)
    const channels = shared.flatMap((topic) =>
      [a.channels.get(topic) ?? [], b.channels.get(topic) ?? []].flat(),
    )
    if (isWider) for (const { peer, handler } of channels) peer.receive(() => handler.onWider())
    return channels
  }

  #remove(peer: MemoryPeer): boolean {
    if (!this.#peers.delete(peer.peerId)) return false
    peer.isGone = true
    this.#coming.delete(peer)
    return true
  }

  #peerOf(peerId: string): MemoryPeer {
    const peer = this.#peers.get(peerId)
    if (peer === undefined) throw new Error(`there is no peer ${peerId}`)
    return peer
  }

  #afterNotice(task: () => void): void {
    const ms = this.#weather.noticeMs()
    if (ms > 0) this.#weather.timer(ms, task)
    else task()
  }

  /** Rejects when the signal fires. With 0 ms nothing is waited for. */
  #pause(ms: number, signal: AbortSignal): Promise<void> | undefined {
    if (ms === 0) return undefined
    return untilAborted(new Promise((resolve) => void this.#weather.timer(ms, resolve)), signal)
  }
}

function linksOf(peer: MemoryPeer): Pair[] {
  return [...peer.links].map((other): Pair => [peer, other])
}

function tell(channels: Iterable<MemoryChannel>): void {
  for (const { peer, handler } of channels) peer.receive(() => handler.onNeighbours())
}
