import { GRACE_MS, ROSTER_MAX_DEVICES, ROSTER_MAX_DEVICES_EACH } from '../limits.ts'
import { toMilliseconds } from '../wire/claims.ts'
import { comparePositions, isType, positionOf, type SignedEvent } from '../wire/event.ts'
import type { JsonObject } from '../wire/json.ts'

/** Somebody who is online, on one device or several. */
export interface Member {
  readonly did: string
  /** What the member shows of itself: the presence data of the device on which it changed last. Frozen. */
  readonly presence: JsonObject
  /** The transport peer ids of the member's devices. */
  readonly devices: readonly string[]
}

/**
 * Why a member is no longer online: it said so, its connection was lost and did
 * not come back within the grace of 10 s, or its lease of 90 s ran out.
 */
export type LeaveReason = 'left' | 'lost' | 'timeout'

/** What an event, or the passing of time, changed in the roster. */
export type RosterChange =
  | { kind: 'joined'; did: string }
  | { kind: 'updated'; did: string }
  | { kind: 'left'; did: string; reason: LeaveReason }

type PresenceEvent = SignedEvent<'join' | 'presence' | 'leave'>

interface Device {
  did: string
  peer: string
  /** The latest event of this device. */
  event: PresenceEvent
  /**
   * It left, or its connection was lost for good. Kept until its event expires,
   * so that no older or copied event brings it back.
   */
  gone: boolean
  /** When the connection to it was lost, unless something came from it since. */
  lostAt?: number
}

/** Who is online: a fold over the presence events of all devices. */
export class Roster {
  /** By DID, then by peer id. */
  readonly #devices = new Map<string, Map<string, Device>>()
  readonly #maxDevices: number
  #size = 0

  constructor(maxDevices = ROSTER_MAX_DEVICES) {
    this.#maxDevices = maxDevices
  }

  /**
   * Takes in an event. One that is not later than the last one of its device changes nothing.
   *
   * @param mayEvict whether another device makes room for a new one where there is none. Nobody goes for what somebody
   *   says was before
   */
  apply(event: PresenceEvent, mayEvict = true): RosterChange[] {
    const { iss: did, peer } = event.claims
    const known = this.#devices.get(did)?.get(peer)
    if (known !== undefined && comparePositions(positionOf(known.event), positionOf(event)) >= 0) return []
    if (known === undefined && !mayEvict && this.#size >= this.#maxDevices) return []
    const change = this.#change(did, 'left', () => {
      this.#put({ did, peer, event, gone: isType(event, 'leave') })
      const devices = [...(this.#devices.get(did)?.values() ?? [])]
      if (devices.length > ROSTER_MAX_DEVICES_EACH) this.#remove(oldestOf(devices))
    })
    return this.#size > this.#maxDevices ? [...change, ...this.#evict()] : change
  }

  /** Notes that the connection to a device was lost. */
  lose(peer: string, now: number): void {
    for (const device of this.#all()) {
      if (device.peer === peer && !device.gone) device.lostAt = now
    }
  }

  /** Ends what time has ended. */
  expire(now: number): RosterChange[] {
    return this.#all()
      .filter((device) => deadlineOf(device) <= now)
      .flatMap((device) => {
        if (expiryOf(device) <= now) return this.#change(device.did, 'timeout', () => this.#remove(device))
        return this.#change(device.did, 'lost', () => {
          device.gone = true
          delete device.lostAt
        })
      })
  }

  /** When {@link expire} has something to do next, or `undefined` when never. */
  nextDeadline(): number | undefined {
    const deadlines = this.#all().map(deadlineOf)
    return deadlines.length === 0 ? undefined : deadlines.reduce((a, b) => Math.min(a, b))
  }

  /** The members online. */
  members(): Member[] {
    return [...this.#devices.keys()].flatMap((did) => this.member(did) ?? [])
  }

  /** One member, or `undefined` when it is not online. */
  member(did: string): Member | undefined {
    const online = [...(this.#devices.get(did)?.values() ?? [])].filter(({ gone }) => !gone)
    const [latest] = online
      .map(({ event }) => event)
      .sort((a, b) => shownSince(b) - shownSince(a) || (a.id < b.id ? -1 : 1))
    if (latest === undefined || latest.claims.type === 'leave') return undefined
    return { did, presence: latest.claims.data, devices: online.map(({ peer }) => peer) }
  }

  /** The peer ids of all devices online. */
  peers(): string[] {
    return this.#all()
      .filter(({ gone }) => !gone)
      .map(({ peer }) => peer)
  }

  /** The last event of every device that is online or has left: what a newcomer needs. */
  events(): SignedEvent[] {
    return this.#all()
      .filter(({ event, gone }) => !gone || isType(event, 'leave'))
      .map(({ event }) => event)
  }

  #all(): Device[] {
    return [...this.#devices.values()].flatMap((devices) => [...devices.values()])
  }

  #put(device: Device): void {
    // It is handed out, and signed again with each renewal of our own.
    if (device.event.claims.type !== 'leave') freeze(device.event.claims.data)
    const devices = this.#devices.get(device.did) ?? new Map<string, Device>()
    if (!devices.has(device.peer)) this.#size += 1
    devices.set(device.peer, device)
    this.#devices.set(device.did, devices)
  }

  #remove(device: Device): void {
    const devices = this.#devices.get(device.did)
    if (devices?.delete(device.peer)) this.#size -= 1
    if (devices?.size === 0) this.#devices.delete(device.did)
  }

  /** Makes room: out goes the device heard of longest ago. */
  #evict(): RosterChange[] {
    const oldest = oldestOf(this.#all())
    return this.#change(oldest.did, 'timeout', () => this.#remove(oldest))
  }

  /** Does something to the devices of a member and tells what that changed about the member. */
  #change(did: string, reason: LeaveReason, act: () => void): RosterChange[] {
    const before = this.member(did)
    act()
    const after = this.member(did)
    if (before === undefined) return after === undefined ? [] : [{ kind: 'joined', did }]
    if (after === undefined) return [{ kind: 'left', did, reason }]
    const same = JSON.stringify(before.presence) === JSON.stringify(after.presence)
    return same ? [] : [{ kind: 'updated', did }]
  }
}

function freeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return
  Object.freeze(value)
  for (const part of Object.values(value)) freeze(part)
}

/** The device that was heard of longest ago. */
function oldestOf(devices: readonly Device[]): Device {
  return devices.reduce((a, b) => (a.event.timestamp <= b.event.timestamp ? a : b))
}

/** When a device began to show what it shows. */
function shownSince({ claims }: PresenceEvent): number {
  return claims.type === 'leave' ? 0 : claims.since
}

function expiryOf(device: Device): number {
  return toMilliseconds(device.event.claims.exp)
}

function deadlineOf(device: Device): number {
  return Math.min(expiryOf(device), device.lostAt === undefined ? Infinity : device.lostAt + GRACE_MS)
}
