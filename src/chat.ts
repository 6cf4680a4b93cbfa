import { checkKind, checkOptions, checkSignal } from './check.ts'
import { describe, GhostChatError } from './errors.ts'
import { IsolatedEmitter } from './events.ts'
import { READER_MAX_MESSAGES, SYNC_NEWEST_MAX, WINDOW_MAX_EVENTS } from './limits.ts'
import type { RecoveredInfo, RoomListener } from './room/listener.ts'
import { Message } from './room/message.ts'
import { MessageReader } from './room/message-reader.ts'
import { Room, type RoomOptions } from './room/room.ts'
import type { RoomStatus } from './room/room-status.ts'
import type { LeaveReason, Member } from './room/roster.ts'
import type { MessageFilter } from './room/visibility.ts'
import { type EventId, isEventId } from './wire/event-id.ts'
import type { JsonObject } from './wire/json.ts'

/** The events of a {@link GhostChat} and what their listeners get. */
export interface GhostChatEvents {
  /** Somebody came online: the first device of a DID other than the own. */
  'user-joined': (did: string) => void
  /** Somebody is no longer online: the last device of the DID went. */
  'user-left': (did: string, detail: { reason: LeaveReason }) => void
  /** Somebody online shows something else of itself. */
  'user-updated': (did: string, member: Member) => void
  /** A message was written, by somebody else or on this device. */
  message: (did: string, message: Message) => void
  /** A message changed: its text, its reactions, or the status of an own one. */
  'message-updated': (did: string, message: Message) => void
  /**
   * A message is no longer to be shown: its author deleted it (`isDeleted`), or
   * edited it into something a filter refuses.
   */
  'message-deleted': (did: string, message: Message) => void
  /**
   * What was written before this device came, or while it had no connection,
   * oldest first; empty when there was nothing. A message comes in one `message`
   * or in one `backlog`, never in both.
   */
  backlog: (messages: Message[]) => void
  /**
   * What was missed has been asked for: after each `backlog` that follows a
   * connection, also when nothing came, and whenever something is found missing
   * later. `count`: how many messages came, live ones not counted. `complete`:
   * a member was compared with to the end, or there is none, and everything that
   * any event names is here; otherwise something may still be missing, and is
   * looked for.
   */
  recovered: (info: RecoveredInfo) => void
  /** Who is typing now changed. The own DID is never among them. */
  typing: (dids: string[]) => void
  /** The connection's state changed. */
  status: (status: RoomStatus) => void
  /** Something went wrong beside a call that could have said so. Logged where nobody listens. */
  error: (error: GhostChatError) => void
}

/** The own user's typing. */
export interface TypingControl {
  /** The user pressed a key in the field. Call it at each; the network hears of it at most every 3 s. */
  keystroke(): void
  /** The user emptied the field. Sending a message does this by itself. */
  stop(): void
  /** The DIDs of the others who type now. */
  current(): string[]
}

/** What the own user shows of itself. */
export interface PresenceControl {
  /**
   * Shows something else, on all members' lists, without a leave and a join.
   *
   * @param data a plain JSON object of at most 1,024 bytes, nested 8 deep at most
   * @throws `invalid-presence`, `signing-failed`, `chat-left`
   */
  update(data: JsonObject): Promise<void>
}

/** What is asked of a backlog. */
export interface BacklogOptions {
  /** How many messages at the most, 1 to 1,000. Default 100. */
  limit?: number
  /** Only messages before this one, or before the one with this id. */
  before?: Message | string
  /** Gives up waiting; the promise rejects with the signal's reason. */
  signal?: AbortSignal
}

/** A chat room: who is in it, what is said in it, and the way to say something. */
export class GhostChat extends IsolatedEmitter<GhostChatEvents> {
  /** The own DID. */
  readonly did: string
  /** The name of the room. */
  readonly name: string
  /** The gossipsub topic the room lives on. */
  readonly topic: string
  readonly presence: PresenceControl
  readonly typing: TypingControl
  readonly #room: Room
  readonly #readers = new Set<MessageReader>()
  readonly #onLeft: () => void
  readonly #warn: (message: string, detail?: unknown) => void

  /** @internal Made by `space.joinChat`. */
  constructor(name: string, options: Omit<RoomOptions, 'listener'>, onLeft: () => void) {
    super((event, thrown) => {
      const error = new GhostChatError(
        'listener-failed',
        `a listener of '${event}' threw: ${describe(thrown)}`,
        {
          cause: thrown,
        },
      )
      // The error of an error listener goes to the log, or it would come back here for ever.
      if (event === 'error') options.logger.warn(error.message, thrown)
      else this.#report(error)
    })
    this.#warn = (message, detail) => options.logger.warn(message, detail)
    this.#onLeft = onLeft
    this.did = options.author.did
    this.name = name
    this.topic = options.topic
    const room = new Room({ ...options, listener: this.#listener() })
    this.#room = room
    this.presence = {
      update: async (data) => {
        room.assertOpen()
        await room.presence.update(data)
      },
    }
    this.typing = {
      keystroke: () => room.typing.keystroke(),
      stop: () => room.typing.stop(),
      current: () => room.typing.current(),
    }
  }

  /** The state of the connection, and the one before it. */
  get status(): RoomStatus {
    return this.#room.status.status
  }

  /**
   * Sends a text to everybody in the room.
   *
   * Resolves when the message is signed and either handed to a neighbour
   * (`status` is `sent`) or kept because none is within reach (`queued`); a
   * queued one goes out by itself, and `message-updated` tells.
   *
   * @param text 1 to 4,096 bytes of UTF-8
   * @throws `invalid-message`, `message-too-long`, `outbox-full` (1,000 wait already), `signing-failed`, `chat-left`
   */
  send(text: string): Promise<Message> {
    return this.#room.writer.send(text)
  }

  /**
   * Sends a text as an answer to a message.
   *
   * @param message the message, or its id
   * @throws as {@link send}; `invalid-message` also when `message` is neither a message nor an id
   */
  async reply(message: Message | string, text: string): Promise<Message> {
    return this.#room.writer.send(text, idOf(message))
  }

  /**
   * Gives an own message another text, for everybody. Resolves with the message as {@link send} does: a change
   * that finds nobody within reach waits, too.
   *
   * @param message the message, or its id
   * @param text 1 to 4,096 bytes of UTF-8
   * @throws as {@link send}; `invalid-message` also when the message is unknown, deleted, or somebody else's;
   * `clock-skew` when it was written over 60 s after the time of this machine's clock
   */
  async edit(message: Message | string, text: string): Promise<Message> {
    return this.#room.writer.edit(idOf(message), text)
  }

  /**
   * Deletes an own message. It cannot be undone. Every member that gets to know
   * drops the text; nobody can be forced to, and who saw it may have kept it.
   *
   * @param message the message, or its id
   * @throws as {@link edit}
   */
  async delete(message: Message | string): Promise<Message> {
    return this.#room.writer.delete(idOf(message))
  }

  /**
   * Reacts to a message, anybody's. Sends nothing if the own user reacted so already.
   *
   * @param message the message, or its id
   * @param emoji one emoji, or another single character, of at most 64 bytes of UTF-8
   * @throws as {@link edit}, but for messages of others; `invalid-message` also when `emoji` is not one character
   */
  async react(message: Message | string, emoji: string): Promise<Message> {
    return this.#room.writer.react(idOf(message), emoji, 'add')
  }

  /** Takes a reaction back. Sends nothing if there is none. @throws as {@link react} */
  async unreact(message: Message | string, emoji: string): Promise<Message> {
    return this.#room.writer.react(idOf(message), emoji, 'remove')
  }

  /** The DIDs of those who are online, the own one first. Empty after the chat was left. */
  onlineUsers(): string[] {
    return this.members().map(({ did }) => did)
  }

  /** Those who are online and what they show of themselves, the own user first. Empty after the chat was left. */
  members(): Member[] {
    if (this.status.current === 'closed') return []
    const members = this.#room.state.roster.members()
    return [
      ...members.filter(({ did }) => did === this.did),
      ...members.filter(({ did }) => did !== this.did),
    ]
  }

  /**
   * What was said before: asks up to three members and answers what is known
   * then, oldest first. Messages that were not known yet also come as `backlog`.
   *
   * Right after joining it waits for the connection (5 s at most) and for
   * somebody to ask (2 s at most). Nobody to ask is not an error.
   *
   * @throws `invalid-option`, `invalid-message` (`before` is unknown), `chat-left`, or the reason of the signal
   */
  async requestBacklog(options: BacklogOptions = {}): Promise<Message[]> {
    const { limit = SYNC_NEWEST_MAX, before, signal } = checkOptions(options)
    checkSignal(signal)
    if (!Number.isInteger(limit) || limit < 1 || limit > WINDOW_MAX_EVENTS) {
      throw new GhostChatError(
        'invalid-option',
        `limit must be a whole number from 1 to ${WINDOW_MAX_EVENTS}`,
      )
    }
    const place = typeof before === 'string' ? this.message(before) : before
    if (place !== undefined && !(place instanceof Message)) {
      throw new GhostChatError('invalid-option', 'before must be a message or the id of one')
    }
    if (before !== undefined && place === undefined) {
      throw new GhostChatError('invalid-message', `no message with the id ${String(before)} is known`)
    }
    return this.#room.requestBacklog({ limit, ...(place && { before: place }), ...(signal && { signal }) })
  }

  /** The message with this id, while it is within the window (1,000 messages and changes, 4 MiB, a day); not after it was deleted. */
  message(id: string): Message | undefined {
    return this.#room.state.message(id)
  }

  /**
   * The messages that come live from now on, for `for await`; what was missed comes as `backlog` only. Ends when the chat is
   * left or `signal` fires. A reader that falls 1,000 messages behind gets the
   * error `reader-too-slow` after those.
   *
   * @throws `invalid-option`
   */
  messages(options: { signal?: AbortSignal } = {}): AsyncIterableIterator<Message> {
    const { signal } = checkOptions(options)
    checkSignal(signal)
    const end = (): void => reader.end()
    const reader = new MessageReader(READER_MAX_MESSAGES, () => {
      this.#readers.delete(reader)
      signal?.removeEventListener('abort', end)
    })
    if (signal?.aborted || this.status.current === 'closed') reader.end()
    else {
      signal?.addEventListener('abort', end, { once: true })
      this.#readers.add(reader)
    }
    return reader
  }

  /**
   * Hides messages the filter says no to, new ones and those of a backlog. One that
   * is edited is asked about again.
   * Answers a function that removes the filter.
   *
   * @throws `invalid-option`
   */
  addFilter(filter: MessageFilter): () => void {
    checkKind('a filter', filter, 'function')
    return this.#room.visibility.addFilter(filter)
  }

  /**
   * Hides what this DID writes, its reactions and that it types, on this device only. `message-updated` tells
   * where a reaction goes.
   *
   * @throws `invalid-option`
   */
  mute(did: string): void {
    checkKind('a DID', did, 'string')
    this.#room.visibility.mute(did)
    this.#room.typing.ended(did)
    this.#room.state.review()
  }

  /**
   * Undoes {@link mute}. Messages that were hidden meanwhile come with the next `requestBacklog`; what changed
   * about others is told with `message-updated`.
   */
  unmute(did: string): void {
    this.#room.visibility.unmute(did)
    this.#room.state.review()
  }

  /** Leaves the room and says so. Idempotent; never rejects. */
  async leaveChat(): Promise<void> {
    this.#onLeft()
    await this.#room.close()
    for (const reader of [...this.#readers]) reader.end()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.leaveChat()
  }

  /** @internal */
  open(): Promise<void> {
    return this.#room.open()
  }

  /** @internal @throws `chat-left` */
  assertOpen(): void {
    this.#room.assertOpen()
  }

  /** @internal The page is going away: says so without waiting for anything. */
  pause(): void {
    this.#room.pause()
  }

  /** @internal The page is back. */
  resume(): void {
    this.#room.resume()
  }

  /** @internal A node is out of reach, or its clock differs. The space has logged it. */
  nodeFailed(error: GhostChatError, nextAttemptAt?: number): void {
    if (error.code === 'node-unreachable') this.#room.status.failed(error, nextAttemptAt)
    else this.emit('error', error)
  }

  #listener(): RoomListener {
    return {
      joined: (did) => this.emit('user-joined', did),
      left: (did, reason) => this.emit('user-left', did, { reason }),
      updated: (did) => {
        const member = this.#room.state.roster.member(did)
        if (member !== undefined) this.emit('user-updated', did, member)
      },
      message: (message) => {
        this.emit('message', message.author, message)
        for (const reader of [...this.#readers]) reader.push(message)
      },
      messageUpdated: (message) => this.emit('message-updated', message.author, message),
      messageDeleted: (message) => this.emit('message-deleted', message.author, message),
      backlog: (messages) => this.emit('backlog', messages),
      recovered: (info) => this.emit('recovered', info),
      typing: (dids) => this.emit('typing', dids),
      status: (status) => this.emit('status', status),
      failed: (error) => this.#report(error),
    }
  }

  /** To whoever listens for errors, else to the log. */
  #report(error: GhostChatError): void {
    if (!this.emit('error', error)) this.#warn(error.message, error.cause)
  }
}

function idOf(message: unknown): EventId {
  const id = message instanceof Message ? message.id : message
  if (isEventId(id)) return id
  throw new GhostChatError('invalid-message', 'this needs a message of the chat, or the id of one')
}
