import { toSeconds } from '../../src/wire/claims.ts'
import type { Device } from './device.ts'
import { type Judge, nameOf, type Witness } from './judge.ts'
import { type DeviceSpec, hasGoodClock } from './scenario.ts'

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
 * @param honestDids those of all honest devices there ever were
 * @param slowDids of those, the ones whose clocks are far behind: who misses a message of theirs does not get it later
 * @param specs all devices there ever were, by peer id
 */
export function judgeEnd(
  devices: readonly Device[],
  judge: Judge,
  {
    honestDids,
    slowDids,
    specs,
  }: {
    honestDids: ReadonlySet<string>
    slowDids: ReadonlySet<string>
    specs: ReadonlyMap<string, DeviceSpec>
  },
): void {
  const good = devices.filter(({ spec }) => hasGoodClock(spec))
  const present = new Set(devices.map(({ peerId }) => peerId))
  judgeHistories(good, { honestDids, slowDids }, judge)
  for (const device of good) {
    judgeTold(device, judge)
    judgeRoster(device, good, judge, { honestDids, present })
    judgeOutbox(device, devices.length, judge)
  }
  judgeShown(good, specs, judge)
}

/** Whether a device has to see another one all the time: their clocks differ by little enough. */
export function mustSee(device: Witness, other: Witness): boolean {
  return device.spec.offsetMs - other.spec.offsetMs <= LEASE_MARGIN_MS
}

function judgeHistories(
  devices: readonly Device[],
  { honestDids, slowDids }: { honestDids: ReadonlySet<string>; slowDids: ReadonlySet<string> },
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
      const message = having[0]?.room.state.message(id)
      const author = message?.author ?? ''
      if (slowDids.has(author)) continue
      const isHonest = honestDids.has(author)
      judge.object(
        isHonest ? 'same-history' : 'same-history-of-all',
        `${nameOf(device)} lacks ${message?.text} of ${toSeconds(message?.timestamp ?? 0)} s (${id}), which ${having.length} of ${devices.length} have, for instance ${having[0] && nameOf(having[0])}`,
      )
      break
    }
  }
  judgeOrder(histories, judge)
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
  for (const id of device.history()) {
    if (!device.told.has(id)) judge.object('told-all', `${nameOf(device)} has ${id} and did not tell it`)
  }
}

function judgeRoster(
  device: Device,
  devices: readonly Device[],
  judge: Judge,
  { honestDids, present }: { honestDids: ReadonlySet<string>; present: ReadonlySet<string> },
): void {
  const { roster } = device.room.state
  const listed = new Set(roster.members().flatMap(({ did, devices }) => (honestDids.has(did) ? devices : [])))
  for (const other of devices) {
    if (!listed.has(other.peerId) && mustSee(device, other)) {
      judge.object('true-roster', `${nameOf(device)} does not list ${nameOf(other)}, who is there`)
    }
  }
  for (const peerId of listed) {
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
  for (const { id, status } of device.sent) {
    const text = `${nameOf(device)}: ${id} is ${status}`
    if (status === 'queued') judge.object('sent', text)
    else if (!FINAL.has(status)) judge.object('acknowledged', text)
  }
}
