import { comparePositions, isType, positionOf, type SignedEvent } from '../wire/event.ts'
import type { EventId } from '../wire/event-id.ts'

/** An event that changes a message. */
export type ChangeEvent = SignedEvent<'edit' | 'delete' | 'reaction'>

/** An event that is a message. */
export type MessageEvent = SignedEvent<'message'>

/**
 * What was said about messages, known ones and others: of each author the latest
 * edit, delete and reaction by emoji about each target, and beside its delete no
 * edit of it, whichever is later: the text is to be gone.
 *
 * That rule looks at neither the target nor at what the author may do: a peer
 * that does not know the message could not, and peers that keep different
 * changes would never agree. Whether the author may, and the change is behind the
 * message, is asked for its effect only.
 */
export class Changes {
  /** By target, by author and kind. */
  readonly #byTarget = new Map<EventId, Map<string, ChangeEvent>>()

  /**
   * Takes in a change. Answers those whose place it takes, or `undefined` where it
   * has no place itself beside one that is there.
   */
  add(change: ChangeEvent): ChangeEvent[] | undefined {
    if (this.isOutdone(change)) return undefined
    const { target, iss } = change.claims
    const slots = this.#byTarget.get(target) ?? new Map<string, ChangeEvent>()
    const replaced = [slotOf(change), ...(isType(change, 'delete') ? [`edit ${iss}`] : [])]
    const gone = replaced.flatMap((slot) => slots.get(slot) ?? [])
    for (const slot of replaced) slots.delete(slot)
    slots.set(slotOf(change), change)
    this.#byTarget.set(target, slots)
    return gone
  }

  /** Forgets a change that left the window. */
  remove(change: ChangeEvent): void {
    const { target } = change.claims
    const slots = this.#byTarget.get(target)
    if (slots?.get(slotOf(change)) === change) slots.delete(slotOf(change))
    if (slots?.size === 0) this.#byTarget.delete(target)
  }

  /** Whether a change has no place: its author said something else later, or edits what it deleted. */
  isOutdone(change: ChangeEvent): boolean {
    const slots = this.#byTarget.get(change.claims.target)
    const rival = slots?.get(slotOf(change))
    if (rival !== undefined && isBehind(rival, change)) return true
    return isType(change, 'edit') && (slots?.has(`delete ${change.claims.iss}`) ?? false)
  }

  /** What an author said about a target. */
  by(did: string, target: EventId): ChangeEvent[] {
    return this.#about(target).filter(({ claims }) => claims.iss === did)
  }

  /** The edit that gives a message its text. */
  editOf(message: MessageEvent): SignedEvent<'edit'> | undefined {
    const edit = this.#byAuthor('edit', message)
    return edit !== undefined && isType(edit, 'edit') ? edit : undefined
  }

  isDeleted(message: MessageEvent): boolean {
    return this.#byAuthor('delete', message) !== undefined
  }

  /** The reactions to a message that nobody took back, the first one first. */
  reactionsTo(message: MessageEvent): SignedEvent<'reaction'>[] {
    return this.#about(message.id)
      .filter((change) => isType(change, 'reaction'))
      .filter((change) => change.claims.state === 'add' && isBehind(change, message))
      .sort((a, b) => comparePositions(positionOf(a), positionOf(b)))
  }

  #about(target: EventId): ChangeEvent[] {
    return [...(this.#byTarget.get(target)?.values() ?? [])]
  }

  /** What the author of a message changed about it, behind it. */
  #byAuthor(type: 'edit' | 'delete', message: MessageEvent): ChangeEvent | undefined {
    const change = this.#byTarget.get(message.id)?.get(`${type} ${message.claims.iss}`)
    return change !== undefined && isBehind(change, message) ? change : undefined
  }
}

function isBehind(event: SignedEvent, other: SignedEvent): boolean {
  return comparePositions(positionOf(event), positionOf(other)) > 0
}

/** No DID has a space in it, and an emoji is the last part: two slots never look alike. */
function slotOf({ claims }: ChangeEvent): string {
  return claims.type === 'reaction'
    ? `reaction ${claims.iss} ${claims.emoji}`
    : `${claims.type} ${claims.iss}`
}
