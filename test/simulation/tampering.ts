import { sample } from '../../src/random.ts'
import { toBase64url } from '../../src/wire/base64url.ts'
import { eventOf, isType, type SignedEvent } from '../../src/wire/event.ts'
import { type EventId, eventId } from '../../src/wire/event-id.ts'
import { parseJwt } from '../../src/wire/jwt.ts'
import { EMOJIS } from './changing.ts'
import { type Means, ownEvent, ownMessage, repeat } from './means.ts'
import type { Tampering } from './scenario.ts'

/** How far apart what belongs together is said, so that there is time for it to go different ways. */
const BETWEEN_MS = 2_000
/** Up to where events are not ignored. */
const AHEAD_MS = 55_000

/** Attacks with what changes messages. All of it is signed as it should be, by somebody it is not due to, or in another order. */
export async function tamper(kind: Tampering, means: Means): Promise<void> {
  const { dice } = means
  switch (kind) {
    case 'tamper':
      // Others' messages and others' changes.
      for (const { id } of sample(dice.random, timelineIn(means.heard), 6)) await changeAll(id, means)
      return
    case 'change-nothing':
      for (let index = 0; index < 10; index += 1) {
        await changeAll(eventId(`nobody wrote ${dice.whole(1, 1_000_000)}`), means)
      }
      return
    case 'change-first':
      return changeFirst(means)
    case 'edit-twice':
      return editTwice(means)
    case 'contradict':
      return contradict(means)
    case 'flood-changes':
      return floodChanges(means)
  }
}

/** What of the timeline came by. */
function timelineIn(jwts: readonly string[]): SignedEvent[] {
  return jwts.flatMap((jwt) => {
    const parsed = parseJwt(jwt)
    if (typeof parsed === 'string') return []
    const event = eventOf(jwt, parsed.claims)
    return isType(event, 'message', 'edit', 'delete', 'reaction') ? event : []
  })
}

async function changeAll(target: EventId, means: Means): Promise<void> {
  await means.publish([await ownEvent(means, 'edit', { target, text: 'tampered with' })])
  await means.publish([await ownEvent(means, 'reaction', { target, emoji: emojiFor(means), state: 'add' })])
  await means.publish([await ownEvent(means, 'delete', { target })])
}

/** Changes of a message that comes only later; one of them deletes it sometimes, or is dated before it. */
async function changeFirst(means: Means): Promise<void> {
  const { dice, clock } = means
  const now = clock.now()
  const message = await ownEvent(means, 'message', { text: 'the last to come' }, { iat: now })
  const target = eventId(message)
  const changes = [
    await ownEvent(means, 'edit', { target, text: 'before the first' }, { iat: now + 1 }),
    await ownEvent(means, 'edit', { target, text: 'dated before it' }, { iat: now - 1 }),
    await ownEvent(means, 'reaction', { target, emoji: emojiFor(means), state: 'add' }, { iat: now + 1 }),
    ...(dice.chance(0.5) ? [await ownEvent(means, 'delete', { target }, { iat: now + 2 })] : []),
  ]
  for (const change of sample(dice.random, changes, changes.length)) await means.publish([change])
  clock.after(dice.whole(1, BETWEEN_MS), () => void means.publish([message]))
}

/** Two edits, and two reactions, of the same moment. */
async function editTwice(means: Means): Promise<void> {
  const message = await ownMessage(means, 'what now')
  const target = eventId(message)
  const iat = means.clock.now() + means.dice.whole(1, AHEAD_MS)
  const emoji = emojiFor(means)
  const changes = [
    await ownEvent(means, 'edit', { target, text: 'one text' }, { iat }),
    await ownEvent(means, 'edit', { target, text: 'another text' }, { iat }),
    await ownEvent(means, 'reaction', { target, emoji, state: 'add' }, { iat }),
    await ownEvent(means, 'reaction', { target, emoji, state: 'remove' }, { iat }),
  ]
  await means.publish([message])
  for (const change of sample(means.dice.random, changes, changes.length)) await means.publish([change])
}

/** Deletes with edits before and after, and a delete that is dated before its message, which means nothing. */
async function contradict(means: Means): Promise<void> {
  const { dice, clock } = means
  const now = clock.now()
  const jti = toBase64url(dice.random.bytes(16))
  const message = await ownEvent(means, 'message', { text: 'here I am' }, { iat: now, jti })
  const target = eventId(message)
  const deletedAt = now + (dice.chance(0.5) ? 10 : -10)
  const events = [
    message,
    await ownEvent(means, 'delete', { target }, { iat: deletedAt }),
    await ownEvent(means, 'edit', { target, text: 'here I am still' }, { iat: now + 5 }),
    await ownEvent(means, 'edit', { target, text: 'here I am again' }, { iat: now + 20 }),
    await ownEvent(means, 'reaction', { target, emoji: emojiFor(means), state: 'add' }, { iat: now + 15 }),
  ]
  for (const event of sample(dice.random, events, events.length)) {
    await means.publish([event])
    if (dice.chance(0.3))
      await new Promise<void>((resolve) => clock.after(dice.whole(1, BETWEEN_MS), resolve))
  }
}

/** Edits of an own message, one after the other, and reactions to others' with all there is. */
async function floodChanges(means: Means): Promise<void> {
  const message = await ownMessage(means, 'about to change')
  await means.publish([message])
  const [first] = sample(means.dice.random, timelineIn(means.heard), 1)
  const others = first?.id ?? eventId(message)
  await repeat(means, async (index) => {
    const emoji = String.fromCodePoint(0x1f600 + (index % 60))
    await means.publish([
      await ownEvent(means, 'edit', { target: eventId(message), text: `change ${index}` }),
      await ownEvent(means, 'reaction', { target: others, emoji, state: 'add' }),
    ])
  })
}

function emojiFor({ dice }: Means): string {
  return dice.pick(EMOJIS) ?? '👍'
}
