import { type Claims, type ClaimsOf, type EventType, toMilliseconds } from './claims.ts'
import { type EventId, eventId } from './event-id.ts'

/** An event: its JWT and what follows from it. */
export interface SignedEvent<T extends EventType = EventType> {
  id: EventId
  jwt: string
  claims: ClaimsOf<T>
  /** `iat` in milliseconds. */
  timestamp: number
}

/** The event with this JWT, whose claims these are. */
export function eventOf(jwt: string, claims: Claims): SignedEvent {
  return { id: eventId(jwt), jwt, claims, timestamp: toMilliseconds(claims.iat) }
}

/** Whether an event is of one of some types; narrows its claims. */
export function isType<T extends EventType>(event: SignedEvent, ...types: T[]): event is SignedEvent<T> {
  return (types as EventType[]).includes(event.claims.type)
}

/** A place in the order of events. */
export interface Position {
  /** Milliseconds since the Unix epoch. */
  timestamp: number
  author: string
  id: string
}

/** Where an event stands. */
export function positionOf(event: SignedEvent): Position {
  return { timestamp: event.timestamp, author: event.claims.iss, id: event.id }
}

/** The order of events, the same on every peer: by time, then author, then id. */
export function comparePositions(a: Position, b: Position): number {
  return a.timestamp - b.timestamp || compareTexts(a.author, b.author) || compareTexts(a.id, b.id)
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
