/**
 * GhostChat: ephemeral, signed, peer-to-peer chat for dapps.
 *
 * @packageDocumentation
 */

export {
  type BacklogOptions,
  GhostChat,
  type GhostChatEvents,
  type PresenceControl,
  type TypingControl,
} from './chat.ts'
export type { Clock } from './clock.ts'
export { GhostChatError, type GhostChatErrorCode } from './errors.ts'
export type { IdentityOption } from './identity/identity.ts'
export type { Logger } from './logger.ts'
export type {
  Diagnosis,
  DirectDiagnosis,
  NodeDiagnosis,
  PeerDiagnosis,
  Problem,
} from './network/diagnosis.ts'
export { chatGossipsub } from './network/gossip.ts'
export type { Channel, ChannelHandler, FrameStream, Network } from './network/network.ts'
export type { Random } from './random.ts'
export type { RecoveredInfo } from './room/listener.ts'
export { Message, type MessageStatus, type Reactions } from './room/message.ts'
export type { RoomState, RoomStatus } from './room/room-status.ts'
export type { LeaveReason, Member } from './room/roster.ts'
export type { MessageFilter } from './room/visibility.ts'
export { type JoinChatOptions, openSpace, type Space } from './space.ts'
export type { OpenSpaceOptions } from './space-options.ts'
export type { JsonObject, JsonValue } from './wire/json.ts'
export type { IceServer } from './wire/node-info.ts'
