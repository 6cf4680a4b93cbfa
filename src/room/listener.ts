import type { GhostChatError } from '../errors.ts'
import type { Message } from './message.ts'
import type { RoomStatus } from './room-status.ts'
import type { LeaveReason } from './roster.ts'

/** What was missed and came back. */
export interface RecoveredInfo {
  /**
   * Whether nothing is known to be missing: a member was compared with to the
   * end (or there is none), and everything that an event names is here.
   */
  complete: boolean
  /** How many messages came. */
  count: number
}

/** What a room tells whoever owns it. None of these may throw. */
export interface RoomListener {
  joined(did: string): void
  left(did: string, reason: LeaveReason): void
  updated(did: string): void
  message(message: Message): void
  messageUpdated(message: Message): void
  messageDeleted(message: Message): void
  backlog(messages: Message[]): void
  recovered(info: RecoveredInfo): void
  typing(dids: string[]): void
  status(status: RoomStatus): void
  failed(error: GhostChatError): void
}
