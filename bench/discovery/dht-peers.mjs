/** Nodes of the DHT: a part of the swarm, members of a room, or a newcomer, in a process of their own. */
import { countSockets } from '../support/socket-counter.mjs'
import { cpuMs, now, serve } from '../support/worker.mjs'
import { bootstrap, cidOf, createDhtNode, runQuery } from './dht-node.mjs'

const POLL_MS = 1_000
/** A query may take three minutes by default. */
const QUERY_TIMEOUT_MS = 30_000
const nodes = []

/**
 * Starts servers that dial some that are there already. Answers their addresses. They do without what libp2p does to
 * notice dead connections: it would take a good part of this machine, and is no part of a lookup.
 */
async function startServers({ count, known, oneWayMs, fanOut = 3 }) {
  const addresses = []
  for (let index = 0; index < count; index += 1) {
    const node = await createDhtNode({ isServer: true, oneWayMs, isMonitoring: false })
    nodes.push(node)
    const choice = [...known, ...addresses].sort(() => Math.random() - 0.5).slice(0, fanOut)
    if (choice.length > 0) await bootstrap(node, choice)
    addresses.push(node.getMultiaddrs()[0].toString())
  }
  return addresses
}

/** Looks for peers again, now that all have been started, as a server in a real DHT has done for hours. */
async function refreshTables() {
  for (const { services } of nodes) await services.dht.refreshRoutingTable()
}

/** How full the routing tables are, and how many connections there are. */
async function tables() {
  return {
    sizes: nodes.map(({ services }) => services.dht.routingTable.size),
    connections: nodes.map((node) => node.getConnections().length),
  }
}

/** Members of a room, who have provided its CID. Answers the peer ids of those that could. */
async function startMembers({ count, topic, known, oneWayMs }) {
  const cid = await cidOf(topic)
  const members = []
  for (let index = 0; index < count; index += 1) {
    const node = await createDhtNode({ isServer: false, oneWayMs })
    nodes.push(node)
    await bootstrap(node, known)
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const { isWhole } = await query((options) => node.services.dht.provide(cid, options))
      if (!isWhole) continue
      members.push(node.peerId.toString())
      break
    }
  }
  return members
}

/**
 * Comes to a room: starts, provides its CID and looks who else does, at the same time, and again each second until it
 * has found so many.
 */
async function join({ topic, known, oneWayMs, wanted, others, timeoutMs = 60_000 }) {
  const startedAt = now()
  const startedCpuMs = cpuMs()
  const before = countSockets()
  const times = {}
  const note = (what) => {
    times[what] ??= now() - startedAt
  }
  const cid = await cidOf(topic)
  const node = await createDhtNode({ isServer: false, oneWayMs })
  nodes.push(node)
  await bootstrap(node, known)
  note('connected')
  const { dht } = node.services
  const found = new Set()
  const onProviders = (peerIds) => {
    for (const peerId of peerIds) {
      if (peerId !== node.peerId.toString() && (others === undefined || others.includes(peerId)))
        found.add(peerId)
    }
    if (found.size > 0) note('firstFound')
    if (found.size >= wanted) note('allFound')
  }
  const providing = query((options) => dht.provide(cid, options)).then(({ messages, isWhole }) => {
    if (isWhole) note('provided')
    return messages
  })
  let queries = 0
  let findMessages = 0
  while (times.allFound === undefined && now() - startedAt < timeoutMs) {
    if (queries > 0) await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    queries += 1
    findMessages += (await query((options) => dht.findProviders(cid, options), onProviders)).messages
  }
  const provideMessages = await providing
  const after = countSockets()
  return {
    times,
    queries,
    findMessages,
    provideMessages,
    cpuMs: cpuMs() - startedCpuMs,
    bytes: after.bytes - before.bytes,
    connections: after.connections - before.connections,
    open: node.getConnections().length,
  }
}

/** Is part of the DHT, having provided a room, for the measurement of what that costs when nothing happens. */
async function settle({ isServer, topic, known, oneWayMs }) {
  const node = await createDhtNode({ isServer, oneWayMs })
  nodes.push(node)
  await bootstrap(node, known)
  const cid = await cidOf(topic)
  await query((options) => node.services.dht.provide(cid, options))
}

function query(start, onProviders) {
  return runQuery(start({ signal: AbortSignal.timeout(QUERY_TIMEOUT_MS) }), onProviders)
}

async function usage() {
  return { cpuMs: cpuMs(), ...countSockets(), at: now(), memoryMb: process.memoryUsage.rss() / 2 ** 20 }
}

serve({ startServers, startMembers, refreshTables, tables, join, settle, usage })
