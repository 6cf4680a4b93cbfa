import type { RoomListener } from '../../../src/room/listener.ts'
import { RoomState } from '../../../src/room/state.ts'
import { Typing } from '../../../src/room/typing.ts'
import { Visibility } from '../../../src/room/visibility.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { NOW, TOPIC, testAuthor, testPeerId } from '../../support/authors.ts'
import { CLAIM_WORDS, scripts } from '../support/events.ts'
import { type Step, stepsOf } from '../support/script.ts'
import { promise, type Target } from '../target.ts'

const me = testAuthor(0).did
const muted = testAuthor(3).did

/** What a device knows of a room, with every signature taken for right; and what it tells of it. */
export const room: Target = {
  name: 'room',
  async run(input) {
    const clock = new ManualClock(NOW, { settle: async () => {} })
    const witness = new Witness()
    const visibility = new Visibility(() => {})
    visibility.mute(muted)
    visibility.addFilter(({ text }) => !text.includes('x'))
    const typing = new Typing({ clock, send: () => {}, onChange: () => {} })
    const state = new RoomState({
      topic: TOPIC,
      did: me,
      clock,
      verifier: { verify: async () => true },
      listener: witness.listener,
      visibility,
      typing,
      onMessages: (messages) => state.reveal(messages).forEach(witness.listener.message),
      onArrival: () => {},
    })
    for (const step of stepsOf(input)) await apply(state, step, clock, witness)
    witness.compare(state)
    state.close()
    typing.close()
    promise(clock.pending === 0, 'who leaves has no timer set')
  },
  seeds: scripts,
  words: CLAIM_WORDS,
  maxBytes: 4_096,
  runs: 300_000,
}

async function apply(state: RoomState, step: Step, clock: ManualClock, witness: Witness): Promise<void> {
  if (step.kind === 'wait') await clock.advance(step.ms)
  else if (step.kind === 'lost') state.lose(testPeerId(step.peer))
  else if (step.kind === 'gossip') await state.admitGossip(step.frame, testPeerId(step.from))
  else {
    const { messages } = await state.admitHistory(step.jwts, testPeerId(step.from))
    for (const message of state.reveal(messages)) witness.listener.message(message)
  }
}

/** Whoever listens to a room: it hears of things in an order that makes sense. */
class Witness {
  readonly #online = new Set<string>()
  readonly #shown = new Map<string, string>()

  readonly listener: RoomListener = {
    joined: (did) => {
      promise(!this.#online.has(did), 'nobody comes twice')
      promise(did !== me, 'nobody is told of its own coming')
      this.#online.add(did)
    },
    updated: (did) => promise(this.#online.has(did), 'who is updated is there'),
    left: (did) => promise(this.#online.delete(did), 'who leaves was there'),
    message: ({ id, text }) => {
      promise(!this.#shown.has(id), 'no message is told twice')
      this.#shown.set(id, text)
    },
    messageUpdated: ({ id, text }) => {
      promise(this.#shown.has(id), 'what is updated is shown')
      this.#shown.set(id, text)
    },
    messageDeleted: ({ id }) => promise(this.#shown.delete(id), 'what is deleted was shown'),
    backlog: () => {},
    recovered: () => {},
    typing: () => {},
    status: () => {},
    failed: (error) => {
      throw error
    },
  }

  compare(state: RoomState): void {
    const online = state.roster.members().filter(({ did }) => did !== me)
    promise(
      online.length === this.#online.size && online.every(({ did }) => this.#online.has(did)),
      'who is told of is who is listed',
    )
    const messages = state.messages(Number.POSITIVE_INFINITY)
    promise(new Set(messages.map(({ id }) => id)).size === messages.length, 'no message is listed twice')
    for (const { id, text, author } of messages) {
      promise(author !== muted && !text.includes('x'), 'what is hidden is not listed')
      promise(this.#shown.get(id) === text, 'what is listed was told')
    }
  }
}
