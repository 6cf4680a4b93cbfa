import type { Device } from './device.ts'
import { hasGoodClock } from './scenario.ts'

/**
 * Who can be reached at all. Where malicious devices may be all that is between honest ones, some come and are told by
 * nobody of anybody honest: all their neighbours pass nothing on and, when asked, leave everybody out. Such a
 * device cannot know what it misses, and nobody knows of it. Whoever was in touch once has no excuse any more.
 */
export class Reach {
  readonly #inTouch = new Set<Device>()

  /** Looks who is in touch with whom now. */
  look(devices: readonly Device[]): void {
    const good = devices.filter(({ spec }) => hasGoodClock(spec))
    const groups = groupsOf(good)
    const main = groups.reduce<readonly Device[]>((a, b) => (b.length > a.length ? b : a), [])
    for (const group of groups) {
      const others = good.filter((device) => !group.includes(device))
      const isKnown = group.some((device) =>
        others.some((other) => device.lists(other) || other.lists(device)),
      )
      if (group === main || isKnown) for (const device of group) this.#inTouch.add(device)
    }
  }

  has(device: Device): boolean {
    return this.#inTouch.has(device)
  }
}

/** Those who are connected, by way of each other. */
function groupsOf(devices: readonly Device[]): Device[][] {
  const placed = new Set<Device>()
  return devices.flatMap((first) => {
    if (placed.has(first)) return []
    const group = new Set([first])
    for (const device of group) {
      const neighbours = device.neighbours()
      for (const other of devices) if (neighbours.includes(other.peerId)) group.add(other)
    }
    for (const device of group) placed.add(device)
    return [[...group]]
  })
}
