import { isTimelineEvent } from '../../src/room/timeline.ts'
import { comparePositions, positionOf, type SignedEvent } from '../../src/wire/event.ts'
import type { Device } from './device.ts'
import { type Judge, nameOf, type Witness } from './judge.ts'
import type { Ledger } from './ledger.ts'
import type { Served } from './prober.ts'
import { type DeviceSpec, hasGoodClock } from './scenario.ts'
import { judgeChanges } from './verdict-changes.ts'

/**
 * A presence event holds for 90 s by the clock of whoever has it, and is renewed every 30 s: of whom one's own
 * clock is further ahead than this, it may run out between two renewals.
 */
const LEASE_MARGIN_MS = 50_000
const RIGHT_CLOCK_MS = 10_000
const FINAL = new Set(['acknowledged', 'failed'])

/**
 * What has to hold when everything has come to rest.
 *
 * @param devices the honest ones that are there
 * @param isFit whether the clock of a device is good, and it can be reached at all
 * @param honestDids those of all honest devices there ever were
 * @param lateDids of those, the ones whose clocks are far off: what they wrote comes to everybody later, or not at all
 * @param specs all devices there ever were, by peer id
 * @param served by device: what it gave to somebody who asked for everything
 */
export function judgeEnd(
  devices: readonly Device[],
  judge: Judge,
  {
    isFit,
    honestDids,
    lateDids,
    specs,
    served,
    ledger,
  }: {
    isFit: (device: Device) => boolean
    honestDids: ReadonlySet<string>
    lateDids: ReadonlySet<string>
    specs: ReadonlyMap<string, DeviceSpec>
    served: ReadonlyMap<Device, Served | undefined>
    ledger: Ledger
  },
): void {
  const good = devices.filter(isFit)
  const present = new Set(devices.map(({ peerId }) => peerId))
  judgeHistories(good, { lateDids }, judge)
  for (const device of good) {
    judgeTold(device, judge)
    judgeRoster(device, good, judge, { honestDids, present, specs })
    judgeOutbox(device, devices.length, judge)
  }
  judgeShown(good, specs, judge)
  judgeChanges(good, judge, { lateDids, served, ledger })
}

/** The first event of these authors that some device has and another has not, if there is any. */
export function lateDifference(devices: readonly Device[], authors: ReadonlySet<string>): string | undefined {
  const holders = new Map<SignedEvent, string>()
  for (const device of devices) {
    for (const event of device.room.state.timeline.slice(Number.POSITIVE_INFINITY).events) {
      if (authors.has(event.claims.iss)) holders.set(event, nameOf(device))
    }
  }
  for (const [event, holder] of holders) {
    const without = devices.find(({ room }) => {
      const { timeline } = room.state
      const { floor } = timeline
      if (floor !== undefined && comparePositions(positionOf(event), floor) <= 0) return false
      return timeline.get(event.id) === undefined && (!isTimelineEvent(event) || !timeline.isOutdone(event))
    })
    if (without !== undefined) return `${nameOf(without)} lacks the ${wordsOf(event)}, which ${holder} has`
  }
  return undefined
}

/** Whether a device has to see another one all the time: their clocks differ by little enough. */
export function mustSee(device: Witness, other: Witness): boolean {
  return device.spec.offsetMs - other.spec.offsetMs <= LEASE_MARGIN_MS
}

function judgeHistories(
  devices: readonly Device[],
  { lateDids }: { lateDids: ReadonlySet<string> },
  judge: Judge,
): void {
  const holders = new Map<string, Device[]>()
  const histories = devices.map((device) => ({ device, ids: device.history() }))
  for (const { device, ids } of histories) {
    for (const id of ids) holders.set(id, [...(holders.get(id) ?? []), device])
  }
  for (const { device, ids } of histories) {
    const own = new Set(ids)
    for (const [id, having] of holders) {
      if (own.has(id)) continue
      const event = having[0]?.room.state.timeline.get(id)
      const author = event?.claims.iss ?? ''
      if (lateDids.has(author)) continue
      judge.object(
        'same-history',
        `${nameOf(device)} lacks the ${wordsOf(event)} of ${event?.claims.iat} s (${id}), which ${having.length} of ${devices.length} have, for instance ${having[0] && nameOf(having[0])}`,
      )
      break
    }
  }
  judgeOrder(histories, judge)
}

function wordsOf(event: SignedEvent | undefined): string {
  if (event === undefined) return 'unknown'
  const { claims } = event
  return `${claims.type}${'text' in claims ? ` (${claims.text})` : ''}`
}

/** Each pair has what both have in the same order: so do all when each has it in the order of the first who has it. */
function judgeOrder(histories: readonly { device: Device; ids: string[] }[], judge: Judge): void {
  const [longest] = [...histories].sort((a, b) => b.ids.length - a.ids.length)
  const place = new Map(longest?.ids.map((id, index) => [id, index]))
  for (const { device, ids } of histories) {
    let last = -1
    for (const id of ids) {
      const at = place.get(id) ?? last
      if (at < last) judge.object('same-order', `${nameOf(device)} has ${id} in another place`)
      last = at
    }
  }
}

function judgeTold(device: Device, judge: Judge): void {
  for (const { id } of device.room.state.timeline.messages()) {
    if (!device.told.has(id)) judge.object('told-all', `${nameOf(device)} has ${id} and did not tell it`)
  }
}

function judgeRoster(
  device: Device,
  devices: readonly Device[],
  judge: Judge,
  {
    honestDids,
    present,
    specs,
  }: {
    honestDids: ReadonlySet<string>
    present: ReadonlySet<string>
    specs: ReadonlyMap<string, DeviceSpec>
  },
): void {
  const { roster } = device.room.state
  const listed = new Set(roster.members().flatMap(({ did, devices }) => (honestDids.has(did) ? devices : [])))
  for (const other of devices) {
    if (!listed.has(other.peerId) && mustSee(device, other)) {
      judge.object('true-roster', `${nameOf(device)} does not list ${nameOf(other)}, who is there`)
    }
  }
  for (const peerId of listed) {
    const spec = specs.get(peerId)
    // Whose clock is too far ahead takes its leave in a time that has not come, and its lease ends two minutes late.
    if (spec !== undefined && !hasGoodClock(spec)) continue
    if (!present.has(peerId)) judge.object('true-roster', `${nameOf(device)} lists ${peerId}, who is gone`)
  }
}

/**
 * What is shown of each member, by devices whose clocks are right about members
 * whose clocks are: with others a lease ends here earlier than there.
 */
function judgeShown(devices: readonly Device[], others: ReadonlyMap<string, DeviceSpec>, judge: Judge): void {
  const shown = new Map<string, { text: string; by: Device }>()
  const isRight = (spec: DeviceSpec | undefined): boolean =>
    spec === undefined || Math.abs(spec.offsetMs) <= RIGHT_CLOCK_MS
  for (const device of devices.filter(({ spec }) => isRight(spec))) {
    for (const { did, presence, devices: own } of device.room.state.roster.members()) {
      if (!own.every((peerId) => isRight(others.get(peerId)))) continue
      const text = JSON.stringify([presence, [...own].sort()])
      const first = shown.get(did)
      if (first === undefined) shown.set(did, { text, by: device })
      else if (first.text !== text) {
        judge.object(
          'same-roster',
          `${nameOf(device)} shows ${text} of ${did}, ${nameOf(first.by)} ${first.text}`,
        )
      }
    }
  }
}

function judgeOutbox(device: Device, present: number, judge: Judge): void {
  if (present < 2) return
  for (const { id, status, isDeleted } of device.sent) {
    // What was deleted before anybody had it is never sent.
    if (isDeleted) continue
    const text = `${nameOf(device)}: ${id} is ${status}`
    if (status === 'queued') judge.object('sent', text)
    else if (!FINAL.has(status)) judge.object('acknowledged', text)
  }
}
