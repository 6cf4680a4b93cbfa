import { type GhostChat, type Message, openSpace, type Space } from 'ghostchat'
import type { LabApi, Said } from './api.ts'
import { readLinks } from './links.ts'
import { PlainConnection } from './plain-connection.ts'

let space: Space | undefined
let chat: GhostChat | undefined
let plain: PlainConnection | undefined
const messages: Said[] = []
const backlog: Said[] = []

const lab: LabApi = {
  join: async ({ space: name, room, ...options }) => {
    space = await openSpace(name, { ...options, identity: 'ephemeral' })
    chat = await space.joinChat(room)
    chat.on('message', (did, message) => {
      if (did !== space?.did) messages.push(said(message))
    })
    chat.on('backlog', (found) => backlog.push(...found.map(said)))
    return space.did
  },
  say: async (text) => untilSent(await joined().send(text)),
  messages: () => messages,
  backlog: () => backlog,
  online: () => joined().onlineUsers().toSorted(),
  paths: async () => {
    const { peers = [] } = (await space?.diagnose()) ?? {}
    return Object.fromEntries(peers.map(({ did, path }) => [did, path]))
  },
  leave: async () => space?.close(),

  hasWebRtc: () => typeof RTCPeerConnection === 'function',
  sockets: () =>
    window.madeSockets.filter(({ readyState }) => readyState === WebSocket.OPEN).map(({ url }) => url),
  attempts: () => window.madeConnections.length,
  links: readLinks,

  open: async ({ iceServers, isCaller }) => {
    plain = new PlainConnection(iceServers)
    if (isCaller) await plain.call()
  },
  signals: () => connection().signals(),
  hear: (signals) => connection().hear(signals),
  outcome: () => connection().outcome,
}

window.lab = lab

function joined(): GhostChat {
  if (chat === undefined) throw new Error('join first')
  return chat
}

function connection(): PlainConnection {
  if (plain === undefined) throw new Error('open a connection first')
  return plain
}

/** What waits for a connection goes out by itself. */
function untilSent({ id, status }: Message): Promise<void> {
  if (status !== 'queued') return Promise.resolve()
  return new Promise((resolve) => {
    joined().on('message-updated', (_, updated) => {
      if (updated.id === id && updated.status !== 'queued') resolve()
    })
  })
}

function said(message: Message): Said {
  return { did: message.author, text: message.text }
}
