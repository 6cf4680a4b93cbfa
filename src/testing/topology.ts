import { type Random, sample } from '../random.ts'
import type { MemoryPeer } from './memory-peer.ts'

type Pair = readonly [MemoryPeer, MemoryPeer]

/**
 * The connections that are missing among the members of a topic: each looks for
 * `wanted` neighbours, and gets at most twice as many where there is another
 * way; and all who can be connected and pass messages on are one whole, as nodes make of real members.
 */
export function missingLinks(
  members: readonly MemoryPeer[],
  options: {
    wanted: number
    random: Random
    /** Whether two can be connected. */
    isOpen: (a: MemoryPeer, b: MemoryPeer) => boolean
    /** Whether two are, or are about to be. */
    isLinked: (a: MemoryPeer, b: MemoryPeer) => boolean
  },
): Pair[] {
  const { wanted, random, isOpen, isLinked } = options
  const made: Pair[] = []
  const neighbours = new Map(
    members.map((peer) => [
      peer,
      new Set(members.filter((other) => other !== peer && isLinked(peer, other))),
    ]),
  )
  const countOf = (peer: MemoryPeer): number => neighbours.get(peer)?.size ?? 0
  const link = (a: MemoryPeer, b: MemoryPeer): void => {
    made.push([a, b])
    neighbours.get(a)?.add(b)
    neighbours.get(b)?.add(a)
  }
  for (const peer of members) {
    if (countOf(peer) >= wanted) continue
    const others = members.filter(
      (other) => other !== peer && isOpen(peer, other) && !neighbours.get(peer)?.has(other),
    )
    const free = others.filter((other) => countOf(other) < 2 * wanted)
    for (const other of sample(random, free.length > 0 ? free : others, wanted - countOf(peer)))
      link(peer, other)
  }
  for (
    let [whole, other] = twoWholes();
    whole !== undefined && other !== undefined;
    [whole, other] = twoWholes()
  ) {
    const [a] = sample(random, whole, 1)
    const [b] = sample(random, other, 1)
    if (a !== undefined && b !== undefined) link(a, b)
  }
  return made

  function relays(peer: MemoryPeer): boolean {
    return peer.relays && isOpen(peer, peer)
  }

  /** Two groups of members that could be connected and are not, by any way. */
  function twoWholes(): [MemoryPeer[]?, MemoryPeer[]?] {
    const wholes: MemoryPeer[][] = []
    const placed = new Set<MemoryPeer>()
    for (const peer of members) {
      if (placed.has(peer) || !relays(peer)) continue
      const whole = around(peer, (each) =>
        [...(neighbours.get(each) ?? [])].filter((b) => relays(b) && isOpen(each, b)),
      )
      for (const each of whole) placed.add(each)
      const other = wholes.find(([first]) => first !== undefined && isOpen(first, peer))
      if (other !== undefined) return [other, [...whole]]
      wholes.push([...whole])
    }
    return []
  }
}

/** Whether there is a way from one peer to another over connections. */
export function isJoined(a: MemoryPeer, b: MemoryPeer): boolean {
  return around(a, ({ links }) => links).has(b)
}

function around(start: MemoryPeer, next: (peer: MemoryPeer) => Iterable<MemoryPeer>): Set<MemoryPeer> {
  const found = new Set([start])
  for (const peer of found) for (const other of next(peer)) found.add(other)
  return found
}
