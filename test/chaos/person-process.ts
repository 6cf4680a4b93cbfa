/**
 * Somebody in a room, in a process of its own: says what it is told to, and tells
 * everything it hears. It ends as processes do: by itself, or killed.
 */
import { type GhostChat, type Message, openSpace, type Space } from 'ghostchat'
import { type MemorySample, sampleMemory } from './memory.ts'

/** What a person is told. */
export type PersonOrders =
  | { kind: 'join'; nodes: string[]; room: string }
  | { kind: 'say'; text: string }
  /** To leave the room and end. */
  | { kind: 'leave' }
  | { kind: 'measure' }
  /** To tell the newest messages it has, so many at most. */
  | { kind: 'recall'; limit: number }

/** What a person tells. Times are milliseconds since the Unix epoch. */
export type PersonNews =
  | { kind: 'started' }
  | { kind: 'joined'; did: string }
  /** It was told a message: by `message`, or as part of a backlog. */
  | { kind: 'heard'; text: string; at: number; isLive: boolean }
  | { kind: 'user'; did: string; isHere: boolean; at: number }
  | { kind: 'recovered'; complete: boolean; at: number }
  | { kind: 'measured'; sample: MemorySample }
  /** The ids of messages in their order, and who is listed. */
  | { kind: 'recalled'; ids: string[]; online: string[] }
  /** What must not happen: an error, an unhandled rejection. */
  | { kind: 'failed'; reason: string }

const tell = (news: PersonNews): void => void process.send?.(news)
const fail = (thrown: unknown): void => tell({ kind: 'failed', reason: String(thrown) })

process.on('unhandledRejection', fail)
process.on('uncaughtException', fail)

let space: Space | undefined
let chat: GhostChat | undefined

async function join({ nodes, room }: Extract<PersonOrders, { kind: 'join' }>): Promise<void> {
  const logger = { debug() {}, warn() {} }
  space = await openSpace('chaos', { identity: 'ephemeral', nodes, direct: false, logger })
  const joined = await space.joinChat(room)
  chat = joined
  const heard = ({ text }: Message, isLive: boolean): void =>
    tell({ kind: 'heard', text, at: Date.now(), isLive })
  joined.on('message', (_did, message) => heard(message, true))
  joined.on('backlog', (messages) => {
    for (const message of messages) heard(message, false)
  })
  joined.on('user-joined', (did) => tell({ kind: 'user', did, isHere: true, at: Date.now() }))
  joined.on('user-left', (did) => tell({ kind: 'user', did, isHere: false, at: Date.now() }))
  joined.on('recovered', ({ complete }) => tell({ kind: 'recovered', complete, at: Date.now() }))
  joined.on('error', fail)
  // Listened to first: connected may be what it is already.
  await new Promise<void>((resolve) => {
    const look = (): void => {
      if (joined.status.current === 'connected') resolve()
    }
    joined.on('status', look)
    look()
  })
  tell({ kind: 'joined', did: space.did })
}

async function obey(orders: PersonOrders): Promise<void> {
  if (orders.kind === 'join') await join(orders)
  else if (orders.kind === 'say') await chat?.send(orders.text)
  else if (orders.kind === 'measure') tell({ kind: 'measured', sample: sampleMemory() })
  else if (orders.kind === 'recall') {
    const messages = (await chat?.requestBacklog({ limit: orders.limit })) ?? []
    tell({ kind: 'recalled', ids: messages.map(({ id }) => id), online: chat?.onlineUsers() ?? [] })
  } else {
    await space?.close()
    process.exit()
  }
}

process.on('message', (orders: PersonOrders) => {
  obey(orders).catch(fail)
})
process.on('disconnect', () => process.exit())
tell({ kind: 'started' })
