/**
 * Everything that can go wrong, by a stable name. A code never changes its
 * meaning; the message beside it is for people and may.
 */
export type GhostChatErrorCode =
  /** A space, room or topic name is empty, not text, or too long for a topic. */
  | 'invalid-name'
  /** An entry of `nodes` is neither an http(s) URL nor a multiaddr with a peer id. */
  | 'invalid-node'
  /** A node did not answer, or answered something that is not a GhostNode's description. */
  | 'node-unreachable'
  /** The identity option is malformed, or its signer does not sign for its DID. */
  | 'invalid-identity'
  /** This DID is already open in a space of another name. */
  | 'identity-reused'
  /** The signer threw, or answered something that is not a signature. */
  | 'signing-failed'
  /** The kept key cannot be read or written. */
  | 'key-store-failed'
  /** An option has the wrong type or is out of range. */
  | 'invalid-option'
  /**
   * A text is empty or not well-formed Unicode, a reaction is not one emoji, or the message that is meant is unknown,
   * deleted, or somebody else's where it has to be the own user's.
   */
  | 'invalid-message'
  /** A text is over 4,096 bytes of UTF-8. */
  | 'message-too-long'
  /** Presence data is not a plain JSON object, is over 1,024 bytes, or nested more than 8 deep. */
  | 'invalid-presence'
  /** Nobody could be reached for so long that the outbox is full. */
  | 'outbox-full'
  /** The space was closed. */
  | 'space-closed'
  /** The chat was left. */
  | 'chat-left'
  /** The reader of `messages()` fell too far behind. */
  | 'reader-too-slow'
  /** This machine's clock differs from a node's, or from that of a message's author, by more than the gate allows. */
  | 'clock-skew'
  /** A listener or a filter of the application threw. */
  | 'listener-failed'
  /** A node could not start: the port is taken, the data directory is not writable, … */
  | 'node-failed'

/**
 * The one error class of the package.
 *
 * @example
 * ```ts
 * try {
 *   await chat.send(text)
 * } catch (error) {
 *   if (error instanceof GhostChatError && error.code === 'message-too-long') shorten()
 * }
 * ```
 */
export class GhostChatError extends Error {
  readonly code: GhostChatErrorCode

  constructor(code: GhostChatErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'GhostChatError'
    this.code = code
  }
}

/** The text of anything that was thrown, and of what was behind it: `fetch failed` alone helps nobody. */
export function describe(thrown: unknown): string {
  if (!(thrown instanceof Error)) {
    // An ErrorEvent, for instance, is no Error and has a message all the same.
    const { message, error, type } = (thrown ?? {}) as { message?: unknown; error?: unknown; type?: unknown }
    if (typeof message === 'string' && message !== '') return message
    if (error instanceof Error) return describe(error)
    if (typeof type === 'string') return `an event of type '${type}'`
    try {
      return String(thrown)
    } catch {
      return 'something that has no text'
    }
  }
  const { cause } = thrown
  if (!(cause instanceof Error)) return thrown.message
  const code = 'code' in cause ? String(cause.code) : ''
  return `${thrown.message} (${cause.message || code})`
}
