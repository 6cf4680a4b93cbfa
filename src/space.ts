import { runtime } from '#runtime'
import { untilAborted } from './abort.ts'
import { GhostChat } from './chat.ts'
import { checkKind, checkOptions, checkSignal } from './check.ts'
import { GhostChatError } from './errors.ts'
import { createAuthor } from './identity/author.ts'
import { type Identity, openIdentity } from './identity/identity.ts'
import { sharedVerifier } from './identity/verifier.ts'
import { SYNC_NEWEST_MAX } from './limits.ts'
import type { DiagnosedDevice, Diagnosis } from './network/diagnosis.ts'
import { type OpenClient, openClient } from './network/open-client.ts'
import { once } from './once.ts'
import type { RoomOptions } from './room/room.ts'
import type { MessageFilter } from './room/visibility.ts'
import { type CheckedSpaceOptions, checkSpaceOptions, type OpenSpaceOptions } from './space-options.ts'
import type { JsonObject } from './wire/json.ts'
import { topicOf } from './wire/topic.ts'

/** How a room is joined. */
export interface JoinChatOptions {
  /** What this user shows of itself, for instance `{ name: 'Ada' }`: a plain JSON object of at most 1,024 bytes, nested 8 deep at most. Default `{}`. */
  presence?: JsonObject
  /** How many messages of before to fetch, 0 to 100; what is written from then on comes without limit. Default 100. They come as the event `backlog`. */
  backlogLimit?: number
  /** Filters to begin with; see `chat.addFilter`. */
  filters?: readonly MessageFilter[]
  /** Gives up joining; the promise rejects with the signal's reason. */
  signal?: AbortSignal
}

/** How long {@link Space.diagnose} waits for answers. */
const DIAGNOSIS_TIMEOUT_MS = 5_000

/** By DID: the space it is open in, and how often. */
const openDids = new Map<string, { space: string; count: number }>()

/**
 * Opens a space: an application's namespace, in which the user has a DID of its
 * own. Connecting to the nodes goes on in the background: an unreachable node is
 * no error here, but shows in `chat.status`.
 *
 * @param name the application's name, the same for all its users
 * @throws `invalid-name`, `invalid-node`, `invalid-identity`, `identity-reused`,
 * `key-store-failed`, `signing-failed` (the signer throws), `invalid-option`, or
 * the reason of the signal
 *
 * @example
 * ```ts
 * const space = await openSpace('my-dapp', { nodes: ['https://node.example'] })
 * const chat = await space.joinChat('lobby')
 * ```
 */
export async function openSpace(name: string, options: OpenSpaceOptions = {}): Promise<Space> {
  const checked = checkSpaceOptions(options)
  const { signal } = checked
  signal?.throwIfAborted()
  topicOf(name, '-')
  const opening = openIdentity(checked.identity, name, () => runtime.keyStore())
  const identity = await untilAborted(opening, signal)
  const releaseDid = claimDid(identity.did, name)
  try {
    const space = await Space.open(name, identity, releaseDid, checked)
    if (signal?.aborted) {
      await space.close()
      throw signal.reason
    }
    return space
  } catch (thrown) {
    releaseDid()
    throw thrown
  }
}

/** Everything a room of this space shares with the others. */
type RoomParts = Pick<RoomOptions, 'author' | 'network' | 'verifier' | 'clock' | 'random' | 'logger'>

interface JoinedRoom {
  chat: GhostChat
  opened: Promise<void>
  /** How many who asked for the chat have not given it up while it was being joined. */
  wanted: number
}

/** An application's namespace, open for one user. */
export class Space {
  readonly name: string
  /** The user's DID in this space. */
  readonly did: string
  readonly #parts: RoomParts
  readonly #releaseDid: () => void
  /** By topic: the chats that are being joined or open. */
  readonly #rooms = new Map<string, JoinedRoom>()
  readonly #diagnose: OpenClient['diagnose'] | undefined
  #unwatch = (): void => {}
  /** A node is out of reach, until then: a room that is joined meanwhile has to say so, too. */
  #nodeFailure: { error: GhostChatError; nextAttemptAt: number } | undefined
  readonly #close = once(() => this.#shutDown())
  #isClosed = false

  private constructor(
    name: string,
    parts: RoomParts,
    releaseDid: () => void,
    diagnose: OpenClient['diagnose'] | undefined,
  ) {
    this.name = name
    this.did = parts.author.did
    this.#parts = parts
    this.#releaseDid = releaseDid
    this.#diagnose = diagnose
  }

  /** @internal Use {@link openSpace}. */
  static async open(
    name: string,
    identity: Identity,
    releaseDid: () => void,
    options: CheckedSpaceOptions,
  ): Promise<Space> {
    const { clock, random, logger, direct } = options
    let onFailure = (error: GhostChatError, _nextAttemptAt?: number): void => logger.warn(error.message)
    const { network, wake, diagnose } =
      options.network === undefined
        ? await openClient(
            { ...options, onFailure: (error, nextAttemptAt) => onFailure(error, nextAttemptAt) },
            { ...options, webRtc: async () => (direct ? runtime.loadWebRtc() : undefined) },
          )
        : { network: options.network, wake: () => {}, diagnose: undefined }
    const space = new Space(
      name,
      {
        author: createAuthor(identity, { clock, random }),
        network,
        verifier: sharedVerifier,
        clock,
        random,
        logger,
      },
      releaseDid,
      diagnose,
    )
    onFailure = (error, nextAttemptAt) => space.#onNodeFailure(error, nextAttemptAt)
    space.#unwatch = runtime.watchPage({
      hidden: () => {
        for (const chat of space.#chats) chat.pause()
      },
      shown: () => {
        wake()
        for (const chat of space.#chats) chat.resume()
      },
      awake: wake,
    })
    return space
  }

  /**
   * Joins a room. Joining a room one is in answers the same chat, as it is, with
   * the options of the first time; after leaving it, a new one.
   *
   * Resolves when the own presence is signed, connected or not: `chat.status`
   * tells, and what is sent meanwhile waits.
   *
   * @throws `invalid-name`, `invalid-presence`, `invalid-option`,
   * `signing-failed`, `space-closed`, or the reason of the signal
   */
  async joinChat(room: string, options: JoinChatOptions = {}): Promise<GhostChat> {
    const { signal } = checkOptions(options)
    checkSignal(signal)
    signal?.throwIfAborted()
    if (this.#isClosed) throw new GhostChatError('space-closed', 'the space was closed')
    const topic = topicOf(this.name, room)
    const joined = this.#rooms.get(topic) ?? this.#enter(room, topic, options)
    joined.wanted += 1
    try {
      await untilAborted(joined.opened, signal)
      signal?.throwIfAborted()
      joined.chat.assertOpen()
      return joined.chat
    } catch (thrown) {
      joined.wanted -= 1
      if (joined.wanted === 0) await joined.chat.leaveChat()
      throw this.#isClosed ? new GhostChatError('space-closed', 'the space was closed') : thrown
    }
  }

  /**
   * Looks at what works and what does not: the nodes and how fast they answer, the
   * way to each member, direct connections and the servers for them, the clock; and
   * says for each failure what to do. Takes 5 s at the most.
   *
   * @throws `invalid-option` (a network of another kind cannot be diagnosed),
   * `space-closed`, or the reason of the signal
   */
  async diagnose(options: { signal?: AbortSignal } = {}): Promise<Diagnosis> {
    const { signal } = checkOptions(options)
    checkSignal(signal)
    signal?.throwIfAborted()
    if (this.#isClosed) throw new GhostChatError('space-closed', 'the space was closed')
    if (this.#diagnose === undefined) {
      throw new GhostChatError(
        'invalid-option',
        'a network given as the option `network` cannot be diagnosed',
      )
    }
    const timeout = AbortSignal.timeout(DIAGNOSIS_TIMEOUT_MS)
    const diagnosing = this.#diagnose(this.#devices(), signal ? AbortSignal.any([signal, timeout]) : timeout)
    return untilAborted(diagnosing, signal)
  }

  /** Leaves all rooms and closes all connections. Idempotent; never rejects. */
  close(): Promise<void> {
    return this.#close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #enter(room: string, topic: string, options: JoinChatOptions): JoinedRoom {
    const { presence = {}, backlogLimit = SYNC_NEWEST_MAX, filters = [] } = options
    if (!Number.isInteger(backlogLimit) || backlogLimit < 0 || backlogLimit > SYNC_NEWEST_MAX) {
      throw new GhostChatError(
        'invalid-option',
        `backlogLimit must be a whole number from 0 to ${SYNC_NEWEST_MAX}`,
      )
    }
    if (!Array.isArray(filters))
      throw new GhostChatError('invalid-option', 'filters must be a list of functions')
    for (const filter of filters) checkKind('a filter', filter, 'function')
    const chat = new GhostChat(room, { ...this.#parts, topic, presence, backlogLimit }, () => {
      if (this.#rooms.get(topic)?.chat === chat) this.#rooms.delete(topic)
    })
    for (const filter of filters) chat.addFilter(filter)
    const failure = this.#nodeFailure
    if (failure !== undefined && failure.nextAttemptAt > this.#parts.clock.now()) {
      chat.nodeFailed(failure.error, failure.nextAttemptAt)
    }
    const joined = { chat, opened: chat.open(), wanted: 0 }
    this.#rooms.set(topic, joined)
    return joined
  }

  /** The other devices in all rooms. */
  #devices(): DiagnosedDevice[] {
    const devices = new Map<string, DiagnosedDevice>()
    for (const chat of this.#chats) {
      for (const { did, devices: peerIds } of chat.members()) {
        for (const peerId of peerIds) {
          if (peerId === this.#parts.network.peerId) continue
          const { rooms } = devices.get(peerId) ?? { rooms: [] }
          devices.set(peerId, { peerId, did, rooms: [...rooms, chat.name] })
        }
      }
    }
    return [...devices.values()]
  }

  get #chats(): GhostChat[] {
    return [...this.#rooms.values()].map(({ chat }) => chat)
  }

  #onNodeFailure(error: GhostChatError, nextAttemptAt?: number): void {
    this.#parts.logger.warn(error.message)
    this.#nodeFailure = nextAttemptAt === undefined ? undefined : { error, nextAttemptAt }
    for (const chat of this.#chats) chat.nodeFailed(error, nextAttemptAt)
  }

  async #shutDown(): Promise<void> {
    this.#isClosed = true
    this.#unwatch()
    await Promise.all(this.#chats.map((chat) => chat.leaveChat()))
    await this.#parts.network
      .close()
      .catch((thrown) => this.#parts.logger.debug('closing the network failed', thrown))
    this.#releaseDid()
  }
}

/** One DID in two spaces would tell everybody that they are the same user's. */
function claimDid(did: string, space: string): () => void {
  const known = openDids.get(did)
  if (known !== undefined && known.space !== space) {
    throw new GhostChatError(
      'identity-reused',
      `the DID ${did} is open in the space '${known.space}' already; every space needs a DID of its own`,
    )
  }
  openDids.set(did, { space, count: (known?.count ?? 0) + 1 })
  let released = false
  return () => {
    const entry = openDids.get(did)
    if (released || entry === undefined) return
    released = true
    entry.count -= 1
    if (entry.count === 0) openDids.delete(did)
  }
}
