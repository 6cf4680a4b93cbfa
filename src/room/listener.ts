import type { GhostChatError } from '../errors.ts'
import type { RecoveredInfo } from './catch-up.ts'
import type { Message } from './message.ts'
import type { RoomStatus } from './room-status.ts'
import type { LeaveReason } from './roster.ts'

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
