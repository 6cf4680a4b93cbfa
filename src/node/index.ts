/**
 * The GhostNode: what `npx ghostchat node` runs, for programs that run it themselves.
 *
 * @packageDocumentation
 */

export { GhostChatError, type GhostChatErrorCode } from '../errors.ts'
export type { Logger } from '../logger.ts'
export { createGhostNode, type GhostNode } from './ghost-node.ts'
export type { GhostNodeOptions } from './options.ts'
