import type { MessageEvent } from '../../src/room/changes.ts'
import type { Message } from '../../src/room/message.ts'
import { isBefore } from '../../src/room/reconciler.ts'
import { comparePositions, isType, positionOf, type SignedEvent } from '../../src/wire/event.ts'
import type { Device } from './device.ts'
import { type Judge, nameOf } from './judge.ts'
import type { Ledger } from './ledger.ts'
import type { Served } from './prober.ts'

/**
 * What has to hold of edits, deletes and reactions when everything has come to rest.
 *
 * @param devices the honest ones that are there and whose clocks are good
 * @param lateDids those whose messages and changes do not get to everybody, or not in time
 * @param served by device: what it gave to somebody who asked for everything
 */
export function judgeChanges(
  devices: readonly Device[],
  judge: Judge,
  {
    lateDids,
    served,
    ledger,
  }: {
    lateDids: ReadonlySet<string>
    served: ReadonlyMap<Device, Served | undefined>
    ledger: Ledger
  },
): void {
  judgeStates(devices, lateDids, judge)
  const deletes = deletesOf(devices)
  for (const device of devices) {
    judgeAudience(device, judge)
    judgeGone(device, deletes, judge)
    judgeServed(device, { deletes, answer: served.get(device), ledger }, judge)
  }
}

/** All show the same of each message. */
function judgeStates(devices: readonly Device[], lateDids: ReadonlySet<string>, judge: Judge): void {
  const shown = new Map<string, { text: string; by: Device }>()
  for (const device of devices) {
    for (const message of messagesOf(device)) {
      if (lateDids.has(message.author)) continue
      const text = stateOf(message, lateDids)
      const first = shown.get(message.id)
      if (first === undefined) shown.set(message.id, { text, by: device })
      else if (first.text !== text) {
        judge.object(
          'same-state',
          `${nameOf(device)} shows ${message.id} as ${text}, ${nameOf(first.by)} as ${first.text}`,
        )
      }
    }
  }
}

/** What is shown of a message; without the reactions that do not get to everybody, and so without the order of emojis. */
function stateOf({ text, editedAt, reactions }: Message, lateDids: ReadonlySet<string>): string {
  const whole = [...reactions]
    .map(([emoji, dids]) => [emoji, dids.filter((did) => !lateDids.has(did))] as const)
    .filter(([, dids]) => dids.length > 0)
  if (lateDids.size > 0) whole.sort(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify([text, editedAt, whole])
}

/** An application that goes by what it is told shows what is there. */
function judgeAudience(device: Device, judge: Judge): void {
  // What leaves a full window is told to nobody.
  if (device.room.state.timeline.floor !== undefined) return
  for (const difference of device.audience.differences(messagesOf(device))) {
    judge.object('told-right', `${nameOf(device)}: ${difference}`)
  }
}

/** Of a deleted message nothing is left: not in the history, and not in what the application was handed. */
function judgeGone(device: Device, deletes: Deletes, judge: Judge): void {
  for (const event of device.room.state.timeline.slice(Number.POSITIVE_INFINITY).events) {
    if (isGone(event, deletes)) judge.object('deleted-gone', `${nameOf(device)} has ${wordsOf(event)} still`)
  }
  for (const message of device.told.values()) {
    const isLeft = message.isDeleted && (message.text !== '' || message.jwt !== '')
    if (isLeft) judge.object('deleted-gone', `${nameOf(device)} keeps the text of ${message.id}`)
  }
}

/** What a device gives to whoever asks is what it has, and nothing that was deleted. */
function judgeServed(
  device: Device,
  { deletes, answer, ledger }: { deletes: Deletes; answer: Served | undefined; ledger: Ledger },
  judge: Judge,
): void {
  if (answer === undefined) {
    judge.object('served', `${nameOf(device)} does not answer`)
    return
  }
  const events = answer.jwts.map((jwt) => ledger.event(jwt))
  for (const event of events) {
    if (event === undefined) judge.object('genuine', `${nameOf(device)} passes on what nobody signed`)
    else if (isGone(event, deletes)) {
      judge.object('deleted-gone', `${nameOf(device)} gives away ${wordsOf(event)}`)
    }
  }
  const ids = new Set(events.map((event) => event?.id))
  const kept = answer.had.filter(
    (event) => !isBefore(event, answer.floor) && !ids.has(event.id) && !isGone(event, deletes),
  )
  if (kept[0] !== undefined) judge.object('served', `${nameOf(device)} does not give away ${kept[0].id}`)
}

/** By author and target: the last delete that anybody has. */
type Deletes = ReadonlyMap<string, SignedEvent>

function deletesOf(devices: readonly Device[]): Deletes {
  const deletes = new Map<string, SignedEvent>()
  for (const { room } of devices) {
    for (const event of room.state.timeline.slice(Number.POSITIVE_INFINITY).events) {
      if (isType(event, 'delete')) deletes.set(`${event.claims.iss} ${event.claims.target}`, event)
    }
  }
  return deletes
}

/** Whether an event is a message that its author deleted behind it, or an edit of what its author deleted. */
function isGone(event: SignedEvent, deletes: Deletes): boolean {
  const { iss } = event.claims
  if (isType(event, 'edit')) return deletes.has(`${iss} ${event.claims.target}`)
  const end = deletes.get(`${iss} ${event.id}`)
  return isType(event, 'message') && end !== undefined && isBehind(end, event)
}

function isBehind(event: SignedEvent, other: SignedEvent): boolean {
  return comparePositions(positionOf(event), positionOf(other)) > 0
}

function messagesOf({ room }: Device): Message[] {
  const events: MessageEvent[] = room.state.timeline.messages()
  return events.flatMap(({ id }) => room.state.message(id) ?? [])
}

function wordsOf({ claims, id }: SignedEvent): string {
  return `the ${claims.type} ${id}${'text' in claims ? ` (${claims.text})` : ''}`
}
