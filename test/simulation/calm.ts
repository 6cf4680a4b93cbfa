import type { Device } from './device.ts'
import { type Judge, nameOf } from './judge.ts'
import { mustSee } from './verdict.ts'

/** In the quiet phase: when all leases of what was have run out and been renewed. */
const STILL_AFTER_MS = 130_000
/** How long after it somebody leaves … */
const LEAVES_AFTER_MS = 5_000
/** … so soon after it showed something new … */
const MOMENT_MS = 2
/**
 * … and when everybody must know everything. A newcomer whose first neighbour passes nothing on is heard of with
 * its first renewal, after 30 s.
 */
const KNOWN_AFTER_MS = 40_000
const SENDERS = 5
/** How long after they were sent some messages are changed, when everybody has them. */
const CHANGED_AFTER_MS = 3_000
const EMOJI = '✅'

/** What a calm phase needs of the run. */
export interface Surroundings {
  judge: Judge
  /** Does something so many milliseconds after the quiet phase began. */
  at(ms: number, task: () => void | Promise<void>): void
  /** Whether its clock is good, and it can be reached at all. */
  isFit(device: Device): boolean
  /** The honest devices that are there and awake. */
  present(): Device[]
  send(device: Device): Promise<void>
  /** Somebody who was never there comes. */
  welcome(): Promise<Device>
}

/**
 * Ordinary life in calm weather: some say something, one comes, one shows something and is
 * gone the next moment. Everybody is told it soon, and nothing else happens.
 */
export class Calm {
  readonly #around: Surroundings
  #newcomer: Device | undefined
  #leaver: Device | undefined
  /** The id of the message that is taken back: whoever hears of that first is never told it. */
  #takenBack: string | undefined

  constructor(around: Surroundings) {
    this.#around = around
  }

  plan(): void {
    const { at } = this.#around
    at(STILL_AFTER_MS, () => this.#speak())
    at(STILL_AFTER_MS, async () => {
      this.#newcomer = await this.#around.welcome()
    })
    at(STILL_AFTER_MS + LEAVES_AFTER_MS, () => this.#show())
    at(STILL_AFTER_MS + LEAVES_AFTER_MS + MOMENT_MS, () => this.#leaver?.leave())
    at(STILL_AFTER_MS + KNOWN_AFTER_MS, () => this.#judge())
  }

  async #speak(): Promise<void> {
    const { judge, present, send, at, isFit } = this.#around
    judge.mustStay = (witness, did) => {
      const device = present().find((each) => each === witness)
      return device !== undefined && this.#mustStay(device, did)
    }
    const listeners = present().filter(isFit)
    const senders = listeners.slice(0, SENDERS)
    await Promise.all(senders.map(send))
    const said = senders.flatMap(({ sent }) => sent.at(-1)?.id ?? [])
    at(STILL_AFTER_MS + CHANGED_AFTER_MS, () => this.#change(senders))
    at(STILL_AFTER_MS + KNOWN_AFTER_MS, () => {
      const ids = said.filter((id) => id !== this.#takenBack)
      for (const device of listeners.filter(({ state }) => state === 'present')) {
        for (const id of ids) {
          if (!device.told.has(id)) judge.object('calm-delivery', `${nameOf(device)} was not told ${id}`)
        }
      }
    })
  }

  /** One edits what it said, one takes it back, one reacts. */
  async #change([editor, deleter, author, reactor]: readonly Device[]): Promise<void> {
    const { judge, present, at, isFit } = this.#around
    const [edited, deleted, liked] = [editor, deleter, author].map((device) => device?.sent.at(-1))
    if (edited === undefined || deleted === undefined || liked === undefined) return
    await editor?.changing.edit(edited)
    this.#takenBack = deleted.id
    await deleter?.changing.delete(deleted)
    const isLiked = reactor?.audience.shows(liked.id)
    if (isLiked) await reactor?.changing.react(liked, EMOJI)
    const { text } = edited
    at(STILL_AFTER_MS + CHANGED_AFTER_MS + KNOWN_AFTER_MS, () => {
      for (const device of present().filter(isFit)) {
        const { state } = device.room
        const isKnown =
          state.message(edited.id)?.text === text &&
          state.message(deleted.id) === undefined &&
          (!isLiked || state.message(liked.id)?.reactions.has(EMOJI) === true)
        if (!isKnown) judge.object('calm-delivery', `${nameOf(device)} does not know what was changed`)
      }
    })
  }

  /** What is shown last may well come after the leave. */
  async #show(): Promise<void> {
    const { present, isFit } = this.#around
    this.#leaver = present()
      .slice(SENDERS)
      .findLast((device) => device !== this.#newcomer && isFit(device))
    await this.#leaver?.room.presence.update({ name: 'about to go' })
  }

  #judge(): void {
    const { judge, present, isFit } = this.#around
    const [newcomer, leaver] = [this.#newcomer, this.#leaver]
    const devices = present().filter(isFit)
    for (const device of devices) {
      if (leaver !== undefined && device.lists(leaver)) {
        judge.object('calm-roster', `${nameOf(device)} lists ${nameOf(leaver)}, who left 35 s ago`)
      }
      if (newcomer === undefined || !isFit(newcomer)) continue
      if (!device.lists(newcomer) && mustSee(device, newcomer)) {
        judge.object('calm-roster', `${nameOf(device)} does not list ${nameOf(newcomer)}, who came 40 s ago`)
      }
      if (!newcomer.lists(device) && mustSee(newcomer, device)) {
        judge.object('calm-roster', `${nameOf(newcomer)}, who came 40 s ago, does not list ${nameOf(device)}`)
      }
    }
  }

  #mustStay(device: Device, did: string): boolean {
    const newcomer = this.#newcomer
    const { isFit, present } = this.#around
    const isNew = newcomer === undefined || device === newcomer || did === newcomer.did
    if (isNew || device.state !== 'present' || !isFit(device)) return false
    const others = present().filter((other) => other.did === did)
    return others.length > 0 && others.every((other) => isFit(other) && mustSee(device, other))
  }
}
