import type { GhostChatError } from '../../src/errors.ts'
import type { GossipVerdict } from '../../src/gate/gossip.ts'
import type { Message } from '../../src/room/message.ts'
import type { Room } from '../../src/room/room.ts'
import { isTimelineEvent } from '../../src/room/timeline.ts'
import { isType } from '../../src/wire/event.ts'
import type { Audience } from './audience.ts'
import type { Invariant, Violation } from './invariants.ts'
import type { Ledger } from './ledger.ts'
import { FORGED } from './means.ts'
import type { DeviceSpec } from './scenario.ts'
import { hashOf, type Trace } from './trace.ts'

/** What takes a way from everybody to everybody over those who pass messages on. */
const NEEDS_WAY: ReadonlySet<Invariant> = new Set([
  'calm-delivery',
  'calm-roster',
  'true-roster',
  'same-roster',
])
/** Of one invariant, the first ones tell what is to be told. */
const KEPT_MAX = 3

/** An honest device as its judge sees it. */
export interface Witness {
  readonly spec: DeviceSpec
  readonly state: 'coming' | 'present' | 'asleep' | 'gone'
  readonly room: Room
  /** The messages it told, by id. */
  readonly told: Map<string, Message>
  /** What an application shows that goes by what it is told. */
  readonly audience: Audience
}

/** Watches a run as it goes on, and keeps what was not as it has to be. */
export class Judge {
  readonly violations: Violation[] = []
  /** How many gossip messages came to honest devices. */
  deliveries = 0
  /** How many messages honest devices told. */
  tellings = 0
  /** How many edits, deletes and reactions they told. */
  changes = 0
  /** Whether a user may not come or go on a device's list now. */
  mustStay: (device: Witness, did: string) => boolean = () => false
  readonly #eclipse: boolean
  readonly #ledger: Ledger
  readonly #trace: Trace
  readonly #elapsedMs: () => number
  readonly #counts = new Map<Invariant, number>()
  /** By message: what the first honest gate that did not ignore it said. */
  readonly #verdicts = new Map<string, { verdict: string; by: number }>()
  readonly #listed = new Map<Witness, Set<string>>()

  constructor(options: { eclipse: boolean; ledger: Ledger; trace: Trace; elapsedMs: () => number }) {
    this.#eclipse = options.eclipse
    this.#ledger = options.ledger
    this.#trace = options.trace
    this.#elapsedMs = options.elapsedMs
  }

  /** Something does not hold. */
  object(what: Invariant, detail: string): void {
    const invariant = this.#eclipse && NEEDS_WAY.has(what) ? 'eclipse' : what
    const count = (this.#counts.get(invariant) ?? 0) + 1
    this.#counts.set(invariant, count)
    if (count <= KEPT_MAX) this.violations.push({ invariant, atMs: this.#elapsedMs(), detail })
  }

  delivered(device: Witness, data: Uint8Array, verdict: GossipVerdict): void {
    this.deliveries += 1
    const key = hashOf(data)
    this.#trace.note(device.spec.number, verdict, key)
    if (verdict === 'ignore' || verdict === 'excess') return
    const first = this.#verdicts.get(key)
    if (first === undefined) this.#verdicts.set(key, { verdict, by: device.spec.number })
    else if (first.verdict !== verdict) {
      const both = `${nameOf(device)} says ${verdict}, device ${first.by} said ${first.verdict}`
      this.object('one-verdict', `${both}: ${new TextDecoder('latin1').decode(data).slice(0, 80)}`)
    }
  }

  told(device: Witness, message: Message): void {
    this.tellings += 1
    if (device.told.has(message.id)) {
      this.object('told-once', `${nameOf(device)} told ${message.id} (${message.text}) twice`)
    }
    device.told.set(message.id, message)
    this.handed(device, message)
  }

  /** An application has a message, because it was told or because it asked. */
  handed(device: Witness, message: Message): void {
    if (this.#ledger.event(message.jwt) === undefined) {
      this.object('genuine', `${nameOf(device)} told ${message.text}, which ${message.author} did not sign`)
    }
    this.#check(device, message, device.audience.told(message))
  }

  /** A message is shown in another way than before. */
  updated(device: Witness, message: Message): void {
    this.changes += 1
    this.#check(device, message, device.audience.updated(message))
  }

  /** A message is shown no more. */
  deleted(device: Witness, message: Message): void {
    this.changes += 1
    if (!this.#ledger.hasDelete(message.author, message.id)) {
      this.object('only-author', `${nameOf(device)} deleted ${message.id}, which ${message.author} did not`)
    }
    this.#check(device, message, device.audience.deleted(message))
  }

  /** A device gives events away. */
  gave(device: Witness, jwts: readonly string[]): void {
    const { timeline } = device.room.state
    for (const event of jwts.map((jwt) => this.#ledger.event(jwt))) {
      const isBody = event !== undefined && isTimelineEvent(event) && isType(event, 'message', 'edit')
      if (!isBody || !timeline.isOutdone(event)) continue
      this.object(
        'deleted-gone',
        `${nameOf(device)} gives away ${event.claims.text}, which is deleted or replaced`,
      )
    }
  }

  joined(device: Witness, did: string): void {
    this.shown(device, did)
    const listed = this.#listed.get(device) ?? new Set()
    if (listed.has(did)) this.object('joined-left', `${nameOf(device)} told that ${did} joined twice`)
    this.#listed.set(device, listed.add(did))
    if (this.mustStay(device, did)) this.object('calm-roster', `${nameOf(device)} told that ${did} joined`)
  }

  left(device: Witness, did: string): void {
    if (this.#listed.get(device)?.delete(did) !== true) {
      this.object('joined-left', `${nameOf(device)} told that ${did} left, who had not joined`)
    }
    if (this.mustStay(device, did)) this.object('calm-roster', `${nameOf(device)} told that ${did} left`)
  }

  /** A device shows something else of a member. */
  shown(device: Witness, did: string): void {
    if (device.room.state.roster.member(did)?.presence['name'] !== FORGED) return
    this.object('genuine', `${nameOf(device)} shows of ${did} what it did not say`)
  }

  /** Whatever is shown of a message, somebody to whom it is due has said it. */
  #check(device: Witness, message: Message, wrong: string | undefined): void {
    const { id, author, text, isDeleted } = message
    if (wrong !== undefined) this.object('told-right', `${nameOf(device)}: ${id} (${text}): ${wrong}`)
    // What waits when the chat is left has failed.
    if (device.state === 'gone' && message.status !== 'failed') {
      this.object('no-failure', `${nameOf(device)} told of a message after it left`)
    }
    if (!isDeleted && !this.#ledger.hasText(author, id, text)) {
      this.object('only-author', `${nameOf(device)} shows ${text} for ${id}, which ${author} did not write`)
    }
    for (const [emoji, dids] of message.reactions) {
      for (const did of dids) {
        if (this.#ledger.hasReaction(did, id, emoji)) continue
        this.object(
          'only-author',
          `${nameOf(device)} shows ${emoji} of ${did} for ${id}, who did not react so`,
        )
      }
    }
  }

  failed(device: Witness, error: GhostChatError): void {
    this.object('no-failure', `${nameOf(device)}: ${error.code} ${error.message}`)
  }
}

export function nameOf(device: Witness): string {
  return `device ${device.spec.number}`
}
