/**
 * Many clients join one room within a second: how long until every one of them lists all, and until each has three
 * direct connections.
 */
import { median, quantile, round, sum } from '../support/stats.mjs'
import { now, Worker } from '../support/worker.mjs'

/** The time within which all join, evenly spread. */
const JOIN_WITHIN_MS = 1_000
const LISTED_TIMEOUT_MS = 60_000
const LINKED_TIMEOUT_MS = 30_000
/** Over how many processes the clients are spread. */
const PROCESSES = 2

/** With one node or two that know each other; with WebRTC or without; joining spaces that are open, or opening them then. */
const VARIANTS = [1, 2].flatMap((nodes) =>
  [true, false].flatMap((direct) => [false, true].map((openAtJoin) => ({ nodes, direct, openAtJoin }))),
)
/** Everybody checks what everybody else signs: how the CPU time grows with the number of clients. */
const SCALE = [10, 20].map((clients) => ({ clients, nodes: 1, direct: true, openAtJoin: false }))
const QUICK_VARIANTS = [1, 2].map((nodes) => ({ nodes, direct: true, openAtJoin: false }))

export const listing = {
  name: 'listing',
  question: 'How long until everybody lists everybody?',
  method: `Many clients join one room within a second, evenly spread, with a space that is open already or one that is opened then ("cold").
All of them run on one machine, in two processes, so they wait for its cores: the floor is their CPU time divided by two.
\`Infinity\`: not within 60 s (lists) or 30 s (three direct connections each).`,
  measure: ({ isQuick, progress }) =>
    measureListing(
      isQuick
        ? { runs: 1, clients: 10, variants: QUICK_VARIANTS, progress }
        : { runs: 5, clients: 50, variants: [...SCALE, ...VARIANTS], progress },
    ),
  tables: (results) => [{ caption: 'Milliseconds', rows: results.map(rowOf) }],
}

async function measureListing({ runs, clients, variants, progress }) {
  const every = variants.map((variant) => ({ clients, processes: PROCESSES, ...variant }))
  const samples = every.map(() => [])
  for (let run = 0; run < runs; run += 1) {
    for (const [index, variant] of every.entries()) {
      progress(`${nameOf(variant)}: run ${run + 1} of ${runs}`)
      samples[index].push(await runOnce(variant))
    }
  }
  return every.map((variant, index) => ({ ...variant, ...summary(samples[index]) }))
}

function rowOf(result) {
  return {
    '': nameOf(result),
    'all list all, median': result.allListedMs.median,
    worst: result.allListedMs.worst,
    'one client, median': result.oneListedMs.median,
    'worst ': result.oneListedMs.worst,
    'CPU of all': result.cpuMs.total,
    floor: result.cpuMs.floor,
    'three direct connections, median': result.linkedMs?.median ?? '',
    ' worst': result.linkedMs?.worst ?? '',
    incomplete: result.incomplete,
  }
}

function nameOf({ clients, nodes, direct, openAtJoin }) {
  return [
    `${clients} clients`,
    `${nodes} node${nodes > 1 ? 's' : ''}`,
    direct ? 'WebRTC' : 'no WebRTC',
    openAtJoin ? 'cold' : 'open',
  ].join(', ')
}

async function runOnce({ nodes: nodeCount, direct, openAtJoin, clients, processes }) {
  const nodes = await startNodes(nodeCount)
  const counts = Array.from({ length: processes }, (_, index) => Math.ceil((clients - index) / processes))
  const workers = await Promise.all(counts.map(() => Worker.start('discovery/listing-clients.mjs')))
  try {
    const nodePeerIds = nodes.map(({ peerId }) => peerId)
    await Promise.all(
      workers.map((worker, index) => {
        const options = { nodePeerIds, count: counts[index], direct, openAtJoin }
        return worker.call('prepare', { ...options, nodes: nodes.map(({ url }) => url) })
      }),
    )
    await Promise.all(workers.map((worker) => worker.call('untilConnected')))
    // Loading WebRTC goes on after connecting; that is not what is measured where the spaces are open.
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    const nodesCpuMs = async () => sum(await Promise.all(nodes.map(({ worker }) => worker.call('cpuMs'))))
    const cpuBefore = await nodesCpuMs()
    const firstAt = now() + 200
    const joined = await Promise.all(
      workers.map((worker, process) => {
        const joinAt = Array.from(
          { length: counts[process] },
          // The processes take turns, so that none has all of its clients join at once.
          (_, index) => firstAt + ((index * processes + process) / clients) * JOIN_WITHIN_MS,
        )
        return worker.call('joinAll', { joinAt, total: clients, timeoutMs: LISTED_TIMEOUT_MS, openAtJoin })
      }),
    )
    const nodeCpuMs = (await nodesCpuMs()) - cpuBefore
    const everybody = joined.flatMap(({ dids }) => dids).sort()
    const times = joined.flatMap(({ times }) => times)
    const lists = joined.flatMap(({ listed }) => listed)
    const result = {
      allListedMs: Math.max(...times.map(({ listed = Number.POSITIVE_INFINITY }) => listed)) - firstAt,
      oneListedMs: times.map(({ called, listed = Number.POSITIVE_INFINITY }) => listed - called),
      lastCallMs: Math.max(...times.map(({ called }) => called)) - firstAt,
      incomplete: lists.filter((list) => list.join() !== everybody.join()).length,
      listedLeast: Math.min(...lists.map(({ length }) => length)),
      /** Who is missing in the lists of more than half of the others. */
      unseen: everybody.filter((did) => lists.filter((list) => list.includes(did)).length < clients / 2)
        .length,
      unconnected: joined.flatMap(({ statuses }) => statuses).filter((status) => status !== 'connected')
        .length,
      warnings: joined.flatMap(({ warnings }) => warnings),
      cpuMs: sum(joined.map(({ cpuMs }) => cpuMs)) + nodeCpuMs,
      nodeCpuMs,
    }
    if (!direct) return result
    const linked = await Promise.all(workers.map((worker) => worker.call('untilLinked', LINKED_TIMEOUT_MS)))
    const linkTimes = linked.flatMap(({ times }) => times)
    return {
      ...result,
      linkedMs: Math.max(...linkTimes.map(({ linked = Number.POSITIVE_INFINITY }) => linked)) - firstAt,
      links: linked.flatMap(({ links }) => links),
      linkCpuMs: sum(linked.map(({ cpuMs }) => cpuMs)),
    }
  } finally {
    await Promise.all([...workers, ...nodes.map(({ worker }) => worker)].map((worker) => worker.stop()))
  }
}

/** One node, or several of which each knows those before it. */
async function startNodes(count) {
  const nodes = []
  for (let index = 0; index < count; index += 1) {
    const worker = await Worker.start('support/node-worker.mjs')
    nodes.push({ worker, ...(await worker.call('start', { peers: nodes.map(({ url }) => url) })) })
  }
  for (const { url } of nodes) {
    while (count > 1 && (await healthOf(url)).nodes < count - 1)
      await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return nodes
}

async function healthOf(url) {
  return (await fetch(`${url}/healthz`)).json()
}

function summary(samples) {
  const all = samples.map(({ allListedMs }) => allListedMs)
  const cpu = median(samples.map(({ cpuMs }) => cpuMs))
  const spread = (values) => ({ median: round(median(values)), worst: round(Math.max(...values)) })
  const linked = samples.flatMap(({ linkedMs }) => (linkedMs === undefined ? [] : [linkedMs]))
  return {
    runs: samples.length,
    /** From the first call until every client lists all. */
    allListedMs: { ...spread(all), each: all.map((value) => round(value)) },
    /** From a client's own call until it lists all. */
    oneListedMs: {
      ...spread(samples.flatMap(({ oneListedMs }) => oneListedMs)),
      p95: round(
        quantile(
          samples.flatMap(({ oneListedMs }) => oneListedMs),
          0.95,
        ),
      ),
    },
    lastCallMs: round(median(samples.map(({ lastCallMs }) => lastCallMs))),
    /** CPU time of clients and nodes until all were listed, and what it takes at the least on two cores. */
    cpuMs: {
      total: round(cpu),
      nodes: round(median(samples.map(({ nodeCpuMs }) => nodeCpuMs))),
      floor: round(cpu / 2),
    },
    /** Clients whose list was not the right one in the end, in all runs. */
    incomplete: sum(samples.map(({ incomplete }) => incomplete)),
    listedLeast: Math.min(...samples.map(({ listedLeast }) => listedLeast)),
    unseen: sum(samples.map(({ unseen }) => unseen)),
    unconnected: sum(samples.map(({ unconnected }) => unconnected)),
    warnings: [...new Set(samples.flatMap(({ warnings }) => warnings))].slice(0, 10),
    ...(linked.length > 0 && {
      linkedMs: spread(linked),
      links: spread(samples.flatMap(({ links }) => links)),
      linksMin: Math.min(...samples.flatMap(({ links }) => links)),
      linkCpuMs: round(median(samples.map(({ linkCpuMs }) => linkCpuMs))),
    }),
  }
}
