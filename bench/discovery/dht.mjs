/**
 * How members of a room find each other: through a Kademlia DHT of this machine's own, as they would on the public IPFS
 * network, and through a GhostNode. Everybody is 50 ms away from everybody else, each way. Then what it costs to be there
 * when nothing happens.
 */
import { DelayProxy } from '../support/delay-proxy.mjs'
import { median, quantile, round, sum } from '../support/stats.mjs'
import { Worker } from '../support/worker.mjs'

const MINUTE_MS = 60_000
const ONE_WAY_MS = 50
const SWARM_PROCESSES = 2
const MEMBERS = 5
const BOOTSTRAPPERS = 4
/** A swarm is at rest when its processes take less than this share of a core each. */
const CALM_SHARE = 0.4
const CALM_LOOK_MS = 5_000
const CALM_TIMEOUT_MS = 300_000

export const dht = {
  name: 'dht',
  question: 'What would a DHT cost instead of a GhostNode?',
  method: `Members of a room find each other through a Kademlia DHT of this machine's own, as they would on the public IPFS network, and
through a GhostNode; everybody is 100 ms (there and back) from everybody else. Then what it costs to be there when nothing happens.
[How members find each other](network.md) says what follows from it.`,
  measure: ({ isQuick, progress }) =>
    measureDht({
      servers: isQuick ? 30 : 100,
      runs: isQuick ? 2 : 7,
      // The DHT refreshes its tables every five minutes: less would leave that out.
      idleMs: isQuick ? MINUTE_MS / 2 : 6 * MINUTE_MS,
      onProgress: progress,
    }),
  tables: ({ join, pair, idle = [] }) => [
    {
      caption: 'Until they found each other',
      rows: [...found(join, `${MEMBERS} are there`), ...found(pair, 'two come at once')],
    },
    ...(idle.length > 0 ? [{ caption: 'When nothing happens', rows: idle }] : []),
  ],
}

async function measureDht({ servers, runs, idleMs, onProgress }) {
  const workers = []
  const start = async (path) => {
    const worker = await Worker.start(path)
    workers.push(worker)
    return worker
  }
  try {
    onProgress(`starting a DHT of ${servers} servers`)
    const { swarm, addresses } = await startSwarm(servers, start)
    const tables = await untilReady(swarm, onProgress)
    const known = addresses.slice(0, BOOTSTRAPPERS)
    const place = { start, known }
    const dhtJoins = []
    const ghostJoins = []
    const dhtPairs = []
    const ghostPairs = []
    const members = await startDhtMembers(place)
    const ghost = await startGhostRoom(place)
    for (let run = 0; run < runs; run += 1) {
      onProgress(`joining a room: run ${run + 1} of ${runs}`)
      dhtJoins.push(await dhtJoin(place, members))
      ghostJoins.push(await ghostJoin(place, ghost))
      dhtPairs.push(...(await dhtPair(place, `3box.chat.bench.pair-${run}`)))
      ghostPairs.push(...(await ghostPair(place, ghost, `pair-${run}`)))
    }
    const idle = idleMs === 0 ? undefined : await measureIdle(place, ghost, { idleMs, onProgress })
    return {
      servers,
      oneWayMs: ONE_WAY_MS,
      members: MEMBERS,
      tables,
      join: [summary('DHT', dhtJoins), summary('GhostNode', ghostJoins)],
      pair: [summary('DHT', dhtPairs), summary('GhostNode', ghostPairs)],
      idle,
    }
  } finally {
    await Promise.all(workers.map((worker) => worker.stop()))
  }
}

function found(rows, situation) {
  return rows.map((row) => ({
    situation,
    through: row.through,
    'first found, ms': row.firstFoundMs.median,
    worst: row.firstFoundMs.worst,
    'all found, ms': row.allFoundMs.median,
    'provided, ms': row.providedMs?.median ?? '',
    'DHT messages': row.messages ?? '',
    KB: row.kilobytes,
    connections: row.connections,
    'CPU, ms': row.cpuMs,
    failed: row.failed,
  }))
}

async function startSwarm(servers, start) {
  const swarm = []
  const addresses = []
  for (let index = 0; index < SWARM_PROCESSES; index += 1) swarm.push(await start('discovery/dht-peers.mjs'))
  const first = await swarm[0].call('startServers', { count: BOOTSTRAPPERS, known: [], oneWayMs: ONE_WAY_MS })
  const count = Math.ceil((servers - BOOTSTRAPPERS) / swarm.length)
  const rest = await Promise.all(
    swarm.map((worker) => worker.call('startServers', { count, known: first, oneWayMs: ONE_WAY_MS })),
  )
  addresses.push(...first, ...rest.flat())
  return { swarm, addresses }
}

/** Until the servers know each other and have come to rest. */
async function untilReady(swarm, onProgress) {
  await Promise.all(swarm.map((worker) => worker.call('refreshTables')))
  const deadline = performance.now() + CALM_TIMEOUT_MS
  const spentMs = async () =>
    sum(await Promise.all(swarm.map(async (worker) => (await worker.call('usage')).cpuMs)))
  for (let before = await spentMs(); ; ) {
    await new Promise((resolve) => setTimeout(resolve, CALM_LOOK_MS))
    const after = await spentMs()
    const share = (after - before) / CALM_LOOK_MS / swarm.length
    before = after
    const tables = await Promise.all(swarm.map((worker) => worker.call('tables')))
    const state = {
      size: round(median(tables.flatMap(({ sizes }) => sizes))),
      sizeOfTheEmptiestTenth: round(
        quantile(
          tables.flatMap(({ sizes }) => sizes),
          0.1,
        ),
      ),
      connections: round(median(tables.flatMap(({ connections }) => connections))),
    }
    onProgress(
      `tables hold ${state.size} peers (median); the swarm takes ${round(share * 100)} % of a core each`,
    )
    if (share < CALM_SHARE || performance.now() > deadline) return state
  }
}

async function startDhtMembers({ start, known }) {
  const worker = await start('discovery/dht-peers.mjs')
  const topic = '3box.chat.bench.lobby'
  const peerIds = await worker.call('startMembers', { count: MEMBERS, topic, known, oneWayMs: ONE_WAY_MS })
  return { topic, peerIds }
}

async function startGhostRoom({ start }) {
  const node = await start('support/node-worker.mjs')
  const { port } = await node.call('start')
  const proxy = await DelayProxy.start({ targetPort: port, oneWayMs: ONE_WAY_MS })
  const url = `http://127.0.0.1:${proxy.port}`
  for (let index = 0; index < MEMBERS; index += 1) {
    const member = await start('discovery/rendezvous-peers.mjs')
    await member.call('join', { url, room: 'lobby', wanted: index, direct: false })
  }
  return { url }
}

async function dhtJoin({ start, known }, { topic, peerIds }) {
  const worker = await start('discovery/dht-peers.mjs')
  const result = await worker.call('join', {
    topic,
    known,
    oneWayMs: ONE_WAY_MS,
    wanted: peerIds.length,
    others: peerIds,
  })
  await worker.stop()
  return result
}

async function ghostJoin({ start }, { url }) {
  const worker = await start('discovery/rendezvous-peers.mjs')
  const result = await worker.call('join', { url, room: 'lobby', wanted: MEMBERS, direct: false })
  await worker.stop()
  return result
}

async function dhtPair({ start, known }, topic) {
  const workers = await Promise.all([1, 2].map(() => start('discovery/dht-peers.mjs')))
  const results = await Promise.all(
    workers.map((worker) => worker.call('join', { topic, known, oneWayMs: ONE_WAY_MS, wanted: 1 })),
  )
  await Promise.all(workers.map((worker) => worker.stop()))
  return results
}

async function ghostPair({ start }, { url }, room) {
  const workers = await Promise.all([1, 2].map(() => start('discovery/rendezvous-peers.mjs')))
  const results = await Promise.all(
    workers.map((worker) => worker.call('join', { url, room, wanted: 1, direct: false })),
  )
  await Promise.all(workers.map((worker) => worker.stop()))
  return results
}

/** Everybody is there for a while at the same time, so that a busy machine is as busy for each. */
async function measureIdle({ start, known }, { url }, { idleMs, onProgress }) {
  const kinds = [
    ...[false, true].map((isServer) => ({
      name: `DHT ${isServer ? 'server' : 'client'}`,
      path: 'discovery/dht-peers.mjs',
      begin: (worker) =>
        worker.call('settle', { isServer, topic: '3box.chat.bench.lobby', known, oneWayMs: ONE_WAY_MS }),
    })),
    {
      name: 'GhostChat, alone in its room',
      path: 'discovery/rendezvous-peers.mjs',
      begin: (worker) => worker.call('join', { url, room: 'alone', wanted: 0, direct: false }),
    },
    {
      name: `GhostChat, with ${MEMBERS} others`,
      path: 'discovery/rendezvous-peers.mjs',
      begin: (worker) => worker.call('join', { url, room: 'lobby', wanted: MEMBERS, direct: false }),
    },
    {
      name: 'a process that does nothing',
      path: 'discovery/rendezvous-peers.mjs',
      begin: async () => {},
    },
  ]
  const subjects = await Promise.all(
    kinds.map(async ({ name, path, begin }) => {
      const worker = await start(path)
      await begin(worker)
      return { name, worker }
    }),
  )
  onProgress(`nothing happens for ${round(idleMs / 60_000, 1)} min`)
  await new Promise((resolve) => setTimeout(resolve, 10_000))
  const usages = () => Promise.all(subjects.map(({ worker }) => worker.call('usage')))
  const before = await usages()
  await new Promise((resolve) => setTimeout(resolve, idleMs))
  const after = await usages()
  return subjects.map(({ name }, index) => {
    const minutes = (after[index].at - before[index].at) / 60_000
    const perMinute = (what) => (after[index][what] - before[index][what]) / minutes
    return {
      idle: name,
      'KB a minute': round(perMinute('bytes') / 1024, 1),
      'CPU ms a minute': round(perMinute('cpuMs')),
      'new connections a minute': round(perMinute('connections'), 1),
      'connections held': after[index].open,
      'memory (MB)': round(after[index].memoryMb),
    }
  })
}

function summary(through, results) {
  const spread = (what) => {
    const values = results.map(({ times }) => times[what]).filter((value) => value !== undefined)
    return { median: round(median(values)), worst: round(Math.max(...values)), of: values.length }
  }
  const typical = (pick) => round(median(results.map(pick)))
  return {
    through,
    samples: results.length,
    failed: results.filter(({ times }) => times.allFound === undefined).length,
    connectedMs: spread('connected'),
    firstFoundMs: spread('firstFound'),
    allFoundMs: spread('allFound'),
    ...(through === 'DHT' && {
      providedMs: spread('provided'),
      messages: typical(({ findMessages, provideMessages }) => findMessages + provideMessages),
      queries: typical(({ queries }) => queries),
    }),
    kilobytes: round(median(results.map(({ bytes }) => bytes)) / 1024, 1),
    connections: typical(({ connections }) => connections),
    open: typical(({ open }) => open),
    cpuMs: typical(({ cpuMs }) => cpuMs),
  }
}
