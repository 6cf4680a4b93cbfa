/** Some of the clients that join one room, in a process of their own. */
import { captured } from '../support/capture-libp2p.mjs'
import { openSpace } from '../support/ghostchat.mjs'
import { cpuMs, now, serve } from '../support/worker.mjs'

const LINKS_WANTED = 3
const LOOK_MS = 50
const warnings = []
const logger = { debug() {}, warn: (text) => warnings.push(text) }

const clients = []

class Client {
  #options
  #nodePeerIds
  space
  chat
  times = {}

  constructor(options, nodePeerIds) {
    this.#options = options
    this.#nodePeerIds = nodePeerIds
  }

  async open() {
    this.space = await openSpace('bench', this.#options)
  }

  /** Joins, and notes when it lists so many. */
  async join(total) {
    this.times.called = now()
    this.chat = await this.space.joinChat('lobby')
    this.times.joined = now()
    const look = () => {
      if (this.chat.onlineUsers().length >= total) this.times.listed ??= now()
    }
    this.chat.on('user-joined', look)
    this.chat.on('user-left', () => {
      this.times.left = (this.times.left ?? 0) + 1
    })
    look()
  }

  get libp2p() {
    const [own] = this.chat.members().filter(({ did }) => did === this.space.did)
    return captured.find(({ peerId }) => own?.devices.includes(peerId.toString()))
  }

  /** Connections to other members that go through no node. */
  get links() {
    const connections = this.libp2p?.getConnections() ?? []
    return connections.filter(
      ({ limits, status, remotePeer }) =>
        status === 'open' && limits === undefined && !this.#nodePeerIds.includes(remotePeer.toString()),
    ).length
  }
}

/** Makes clients, each of one of the nodes, which are opened now or, where `openAtJoin`, when they join. */
async function prepare({ nodes, nodePeerIds, count, direct, openAtJoin }) {
  for (let index = 0; index < count; index += 1) {
    clients.push(
      new Client(
        { nodes: [nodes[index % nodes.length]], identity: 'ephemeral', direct, logger },
        nodePeerIds,
      ),
    )
  }
  if (!openAtJoin) for (const client of clients) await client.open()
}

/** Whether all libp2p nodes of this process gossip with their GhostNode. */
async function untilConnected() {
  while (captured.some(({ services }) => services.pubsub.getPeers().length === 0)) await pause(LOOK_MS)
}

/** Each client joins at a moment of its own. Answers when each listed everybody. */
async function joinAll({ joinAt, total, timeoutMs, openAtJoin }) {
  const startedCpuMs = cpuMs()
  await Promise.all(
    clients.map(async (client, index) => {
      await pause(joinAt[index] - now())
      if (openAtJoin) {
        const calledAt = now()
        await client.open()
        await client.join(total)
        client.times.called = calledAt
      } else await client.join(total)
    }),
  )
  const deadline = Math.max(...joinAt) + timeoutMs
  while (clients.some(({ times }) => times.listed === undefined) && now() < deadline) await pause(5)
  return {
    cpuMs: cpuMs() - startedCpuMs,
    times: clients.map(({ times }) => times),
    dids: clients.map(({ space }) => space.did),
    listed: clients.map(({ chat }) => chat.onlineUsers().sort()),
    statuses: clients.map(({ chat }) => chat.status.current),
    warnings,
  }
}

/** Waits until each client has some direct connections. */
async function untilLinked(timeoutMs) {
  const startedCpuMs = cpuMs()
  const deadline = now() + timeoutMs
  do {
    for (const client of clients) if (client.links >= LINKS_WANTED) client.times.linked ??= now()
    if (clients.every(({ times }) => times.linked !== undefined)) break
    await pause(LOOK_MS)
  } while (now() < deadline)
  return {
    cpuMs: cpuMs() - startedCpuMs,
    times: clients.map(({ times }) => times),
    links: clients.map(({ links }) => links),
    memoryMb: process.memoryUsage.rss() / 2 ** 20,
  }
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)))
}

serve({ prepare, untilConnected, joinAll, untilLinked, cpuMs })
