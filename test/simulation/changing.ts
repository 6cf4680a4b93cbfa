import type { Clock } from '../../src/clock.ts'
import { GhostChatError } from '../../src/errors.ts'
import type { Message } from '../../src/room/message.ts'
import { type EventId, eventId } from '../../src/wire/event-id.ts'
import type { Dice } from './dice.ts'
import { nameOf, type Witness } from './judge.ts'
import type { Change } from './scenario.ts'
import type { Stage } from './stage.ts'

export const EMOJIS = ['👍', '❤️', '👩‍💻', '7', 'é']
/** Mostly it is about one of the last messages. */
const RECENT = 5

/** A device as the one who uses it has it. */
export interface Used extends Witness {
  readonly did: string
  readonly clock: Clock
}

/** What an honest user does with messages it is shown, its own and others': what it may, and what it may not. */
export class Changing {
  readonly #stage: Stage
  readonly #device: Used
  readonly #dice: Dice
  #edits = 0

  constructor(stage: Stage, device: Used, dice: Dice) {
    this.#stage = stage
    this.#device = device
    this.#dice = dice
  }

  async change(kind: Change): Promise<void> {
    const shown = this.#device.audience.messages()
    const own = shown.filter(({ author }) => author === this.#device.did)
    switch (kind) {
      case 'edit':
        return this.#on(own, (message) => this.edit(message))
      case 'delete':
        return this.#on(own, (message) => this.delete(message))
      case 'react':
        return this.#on(shown, (message) => this.react(message))
      case 'unreact':
        return this.#on(
          shown.filter(({ reactions }) => [...reactions.values()].flat().includes(this.#device.did)),
          (message) => this.#takeBack(message),
        )
      case 'trespass':
        return this.#trespass(shown.filter(({ author }) => author !== this.#device.did))
    }
  }

  async edit(message: Message): Promise<void> {
    this.#edits += 1
    const text = `${message.text.slice(0, 30)}, edit ${this.#edits} of device ${this.#device.spec.number}`
    await this.#attempt(message, this.#writer.edit(message.id as EventId, text))
  }

  async delete(message: Message): Promise<void> {
    const isDone = await this.#attempt(message, this.#writer.delete(message.id as EventId))
    if (isDone && !message.isDeleted) {
      this.#stage.judge.object(
        'told-right',
        `${nameOf(this.#device)} deleted ${message.id}, and has it still`,
      )
    }
  }

  async react(message: Message, emoji = this.#dice.pick(EMOJIS) ?? '👍'): Promise<void> {
    await this.#attempt(message, this.#writer.react(message.id as EventId, emoji, 'add'))
  }

  get #writer(): Used['room']['writer'] {
    return this.#device.room.writer
  }

  async #takeBack(message: Message): Promise<void> {
    const own = [...message.reactions].filter(([, dids]) => dids.includes(this.#device.did))
    const [emoji] = this.#dice.pick(own) ?? []
    if (emoji === undefined) return
    await this.#attempt(message, this.#writer.react(message.id as EventId, emoji, 'remove'))
  }

  /**
   * Answers whether it could be done: the message may have been deleted meanwhile, the chat left, or the message
   * written by a clock that is too far ahead of this one.
   */
  async #attempt(message: Message, change: Promise<unknown>): Promise<boolean> {
    try {
      await change
      return true
    } catch (thrown) {
      const code = thrown instanceof GhostChatError ? thrown.code : ''
      if (code === 'invalid-message' && message.isDeleted) return false
      if (code === 'clock-skew' && message.timestamp > this.#device.clock.now()) return false
      if (this.#device.state !== 'gone') throw thrown
      return false
    }
  }

  /** What is not due to it: others' messages, and what is not there. All of it has to be refused, and nothing signed. */
  async #trespass(others: readonly Message[]): Promise<void> {
    const { did, audience, room } = this.#device
    const other = this.#dice.pick(others)?.id
    const deleted = this.#dice.pick(audience.deletedIds())
    const unknown = eventId(`nothing ${this.#dice.whole(1, 1_000)}`)
    const edited = room.state.timeline.slice(50).events.find(({ claims }) => claims.type === 'edit')?.id
    const { writer } = room
    const tries: [string | undefined, (id: EventId) => Promise<unknown>][] = [
      [other, (id) => writer.edit(id, 'not mine')],
      [other, (id) => writer.delete(id)],
      ...[deleted, unknown, edited].flatMap((id): typeof tries => [
        [id, (target) => writer.edit(target, 'not there')],
        [id, (target) => writer.delete(target)],
        [id, (target) => writer.react(target, '👍', 'add')],
      ]),
    ]
    for (const [id, attempt] of tries) {
      if (id === undefined) continue
      const code = await attempt(id as EventId).then(
        () => 'nothing',
        (thrown: unknown) => (thrown instanceof GhostChatError ? thrown.code : String(thrown)),
      )
      if (this.#device.state === 'gone') return
      const isSigned = id !== deleted && this.#stage.keys.ledger.hasChange(did, id)
      if (code === 'invalid-message' && !isSigned) continue
      this.#stage.judge.object('refused', `${nameOf(this.#device)} may change ${id}: ${code}`)
    }
  }

  async #on(messages: readonly Message[], change: (message: Message) => Promise<void>): Promise<void> {
    const some = this.#dice.chance(0.7) ? messages.slice(-RECENT) : messages
    const message = this.#dice.pick(some)
    if (message !== undefined) await change(message)
  }
}
