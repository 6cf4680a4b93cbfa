/**
 * How many network round trips lie between joining and the first message, for GhostChat and for a plain WebSocket chat.
 * Both run in a fresh process, once through a proxy that delays nothing and once through one that adds a round trip of
 * 100 ms; the difference is the number of round trips, whatever the machine's speed.
 */
import { DelayProxy } from '../support/delay-proxy.mjs'
import { median, round } from '../support/stats.mjs'
import { Worker } from '../support/worker.mjs'

/** The round trip that is added, and a longer one: between those two, work that is done while waiting costs the same. */
const ROUND_TRIP_MS = 100
const LONG_ROUND_TRIP_MS = 300
/** What a connection costs before its first byte: nothing, TCP, TCP and TLS 1.3. */
const SETUPS = [
  { name: 'data only', setupRoundTrips: 0 },
  { name: 'with TCP handshakes', setupRoundTrips: 1 },
  { name: 'with TCP and TLS handshakes', setupRoundTrips: 2 },
]

export const roundTrips = {
  name: 'round-trips',
  question: 'What stands between joining and the first message?',
  method: `From \`openSpace\` to the first message, through a proxy that delays everything. The number of round trips is the slope between
two delays, so it does not depend on the machine. Beside it a plain WebSocket chat.`,
  measure: ({ isQuick, progress }) => measureRoundTrips({ runs: isQuick ? 2 : 7, progress }),
  tables: (results) => [{ caption: 'Round trips', rows: results.map(rowOf) }],
}

async function measureRoundTrips({ runs, progress }) {
  const results = []
  for (const { name, setupRoundTrips } of SETUPS) {
    const samples = { GhostChat: [], 'plain WebSocket chat': [] }
    for (let run = 0; run < runs; run += 1) {
      progress(`round trips, ${name}: run ${run + 1} of ${runs}`)
      samples.GhostChat.push(await visit(runGhostChat, setupRoundTrips))
      samples['plain WebSocket chat'].push(await visit(runPlain, setupRoundTrips))
    }
    for (const [system, visits] of Object.entries(samples)) {
      results.push({ setup: name, system, ...summary(visits) })
    }
  }
  return results
}

function rowOf({ setup, system, roundTrips, roundTripsAtFirst, fastestMs, connections }) {
  return {
    setup,
    system,
    'first message out': roundTrips.firstMessageOut,
    'first message in': roundTrips.firstMessage,
    backlog: roundTrips.backlog,
    'others seen': roundTrips.userJoined ?? '',
    'TCP connections': connections,
    'out, by the first 100 ms': roundTripsAtFirst.firstMessageOut,
    'out without delay, ms': fastestMs.near.firstMessageOut,
  }
}

async function visit(run, setupRoundTrips) {
  const near = await run(0, setupRoundTrips)
  const far = await run(ROUND_TRIP_MS / 2, setupRoundTrips)
  const veryFar = await run(LONG_ROUND_TRIP_MS / 2, setupRoundTrips)
  return { near, far, veryFar }
}

function summary(visits) {
  const names = Object.keys(visits[0].far.times)
  const each = (pick) => Object.fromEntries(names.map((name) => [name, pick(name)]))
  const of = (which, name) => visits.map((visit) => visit[which].times[name])
  // What else runs on the machine can only make it slower: the fastest of the runs is the least disturbed.
  const fastest = (which, name) => Math.min(...of(which, name))
  const slope = (from, to, ms) => (name) => round((fastest(to, name) - fastest(from, name)) / ms, 1)
  return {
    roundTrips: each(slope('far', 'veryFar', LONG_ROUND_TRIP_MS - ROUND_TRIP_MS)),
    /** By the first 100 ms alone: less where work is done while waiting. */
    roundTripsAtFirst: each(slope('near', 'far', ROUND_TRIP_MS)),
    fastestMs: {
      near: each((name) => round(fastest('near', name))),
      far: each((name) => round(fastest('far', name))),
      veryFar: each((name) => round(fastest('veryFar', name))),
    },
    medianMs: {
      near: each((name) => round(median(of('near', name)))),
      far: each((name) => round(median(of('far', name)))),
      veryFar: each((name) => round(median(of('veryFar', name)))),
    },
    connections: median(visits.map(({ far }) => far.connections)),
    bytes: median(visits.map(({ far }) => far.bytes)),
    cpuMs: round(median(visits.map(({ near }) => near.cpuMs))),
    runs: visits.length,
  }
}

async function runGhostChat(oneWayMs, setupRoundTrips) {
  const workers = await Promise.all(
    ['support/node-worker.mjs', 'discovery/round-trips-peer.mjs', 'discovery/round-trips-peer.mjs'].map(
      (path) => Worker.start(path),
    ),
  )
  const [node, member, newcomer] = workers
  const { url, port } = await node.call('start')
  await member.call('startMember', url)
  return run({
    member,
    newcomer,
    port,
    oneWayMs,
    setupRoundTrips,
    workers,
    place: (p) => `http://127.0.0.1:${p}`,
  })
}

async function runPlain(oneWayMs, setupRoundTrips) {
  const workers = await Promise.all([1, 2, 3].map(() => Worker.start('discovery/plain-chat.mjs')))
  const [server, member, newcomer] = workers
  const port = await server.call('startServer')
  await member.call('startMember', port)
  return run({ member, newcomer, port, oneWayMs, setupRoundTrips, workers, place: (p) => p })
}

async function run({ member, newcomer, port, oneWayMs, setupRoundTrips, workers, place }) {
  const proxy = await DelayProxy.start({ targetPort: port, oneWayMs, setupRoundTrips })
  try {
    const heard = new Promise((resolve) => {
      member.onTold = (_name, { text, at }) => text === 'I am Ada' && resolve(at)
    })
    const { startedAt, times, cpuMs } = await newcomer.call('enter', place(proxy.port), 'Ada')
    times.firstMessageOut = (await heard) - startedAt
    const { trace, connections, bytes } = proxy
    return { startedAt, times, cpuMs, connections, bytes, trace }
  } finally {
    await Promise.all(workers.map((worker) => worker.stop()))
    await proxy.stop()
  }
}
