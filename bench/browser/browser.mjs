/** Six pages in Chromium: how soon a page that comes hears the first text, how long texts take, how many pass in a second. */

import { createServer } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { chromium } from 'playwright'
import { chromiumLaunch } from '../../e2e/support/browsers.ts'
import { median, quantile, round, sum } from '../support/stats.mjs'
import { Worker } from '../support/worker.mjs'

const PEERS = {
  ghostchat: { title: 'GhostChat', isSigned: true },
  trystero: { title: 'Trystero', isSigned: false },
  socketio: { title: 'socket.io', isSigned: false },
  nostr: { title: 'nostr-tools', isSigned: true },
  libp2p: { title: 'js-libp2p', isSigned: true },
}
const PAGES = 6
const ROOM = 'bench'
const BYTES = 200
const RUNS = 5
const BURST = 2_000
const MEET_TIMEOUT_MS = 30_000
const HEAR_TIMEOUT_MS = 60_000

const here = fileURLToPath(new URL('.', import.meta.url))

export const browser = {
  name: 'browser',
  question: 'How fast is it in a browser?',
  method: `Six pages in one Chromium, headless, with their server on the same machine. *First text*: five pages say 20 texts a second each; the sixth,
whose script is loaded, opens, joins and hears the first one that is said then; "joined" is the same where the space (the connection) was open already. *At 20 texts a
second*: one page speaks for ten seconds, beginning in the moment in which the last one has joined, so that WebRTC connections come up meanwhile.
*Burst*: one page says ${BURST} texts as fast as it can, the other five hear them.`,
  measure: async ({ isQuick, only, progress }) => {
    const peers = Object.keys(PEERS).filter((peer) => only?.includes(peer) ?? true)
    const runs = new Map(peers.map((peer) => [peer, []]))
    const times = isQuick ? 1 : RUNS
    for (let time = 1; time <= times; time += 1) {
      for (const peer of peers) {
        progress(`${peer}: run ${time} of ${times}`)
        runs.get(peer).push(await measureBrowser(peer))
      }
    }
    return peers.map((peer) => {
      const own = runs.get(peer)
      const middle = (key) => round(median(own.map((run) => run[key])), 1)
      return {
        peer,
        ...PEERS[peer],
        firstTextMs: middle('firstTextMs'),
        joinedMs: middle('joinedMs'),
        p50Ms: middle('p50Ms'),
        p99Ms: middle('p99Ms'),
        perSecond: middle('perSecond'),
        lost: Math.max(...own.map(({ lost }) => lost)),
      }
    })
  },
  tables: (results) => [
    {
      rows: results.map((row) => ({
        '': row.title,
        signed: row.isSigned ? 'yes' : 'no',
        'first text, ms': row.firstTextMs,
        'joined, ms': row.joinedMs,
        'at 20 a second: median, ms': row.p50Ms,
        'p99, ms': row.p99Ms,
        'burst, deliveries/s': Math.round(row.perSecond).toLocaleString('en'),
        lost: row.lost,
      })),
    },
  ],
  plots: (results) => [
    barsOf(results, 'browser-join', 'From opening to the first text, in Chromium', 'ms', 'firstTextMs'),
    barsOf(results, 'browser-burst', `A burst of ${BURST} texts to five pages`, 'deliveries/s', 'perSecond'),
  ],
}

async function measureBrowser(peer) {
  const bundle = await bundleOf(peer)
  const open = await launch(bundle)
  try {
    const { joinMs: firstTextMs } = await coming(peer, open, false)
    const { joinMs: joinedMs } = await coming(peer, open, true)
    const { p50Ms, p99Ms, lost: lostSlowly } = await steady(peer, open)
    const { perSecond, lost } = await burst(peer, open)
    return { firstTextMs, joinedMs, p50Ms, p99Ms, perSecond, lost: lost + lostSlowly }
  } finally {
    await open.close()
  }
}

/** Five are there and speak, and the sixth comes. */
async function coming(peer, { newPages }, isOpen) {
  return inRoom(peer, newPages, PAGES - 1, async ({ pages, address }) => {
    const [last] = await newPages(1)
    try {
      if (isOpen) await last.evaluate((to) => bench.open(to), address)
      // One after the other says something, every 10 ms.
      const talks = pages.map((page, index) =>
        page.evaluate((talk) => bench.talk(talk), {
          count: 100,
          bytes: BYTES,
          perSecond: 20,
          afterMs: index * 10,
        }),
      )
      await pause(500)
      const joinMs = await last.evaluate(([to, room]) => bench.firstText(to, room), [address, ROOM])
      await Promise.all(talks)
      return { joinMs }
    } finally {
      await last.context().close()
    }
  })
}

async function steady(peer, { newPages }) {
  return inRoom(peer, newPages, PAGES, async ({ pages: [author, ...others] }) => {
    const count = 200
    const hears = others.map((page) =>
      page.evaluate(([texts, ms]) => bench.hear(texts, ms), [count, HEAR_TIMEOUT_MS / 3]),
    )
    await author.evaluate((talk) => bench.talk(talk), { count, bytes: BYTES, perSecond: 20 })
    const heard = await Promise.all(hears)
    const latencies = heard.flatMap(({ latencies }) => latencies)
    return {
      p50Ms: quantile(latencies, 0.5),
      p99Ms: quantile(latencies, 0.99),
      lost: count * others.length - latencies.length,
    }
  })
}

async function burst(peer, { newPages }) {
  return inRoom(peer, newPages, PAGES, async ({ pages: [author, ...others] }) => {
    // Whatever connections it makes are made by then.
    await pause(5_000)
    await Promise.all(others.map((page) => page.evaluate(() => bench.reset())))
    const beganAt = performance.now()
    const hears = others.map((page) =>
      page.evaluate(([texts, ms]) => bench.hear(texts, ms), [BURST, HEAR_TIMEOUT_MS]),
    )
    await author.evaluate((talk) => bench.talk(talk), { count: BURST, bytes: BYTES })
    const heard = sum((await Promise.all(hears)).map((one) => one.heard))
    const tookMs = performance.now() - beganAt
    return { perSecond: (heard / tookMs) * 1_000, lost: BURST * others.length - heard }
  })
}

/** So many pages in a room of their own, which know each other where they can tell. */
async function inRoom(peer, newPages, count, act) {
  const server = await Worker.start('browser/servers.mjs')
  const pages = await newPages(count)
  try {
    const address = await server.call('start', peer, ROOM)
    for (const page of pages) {
      await page.evaluate((to) => bench.open(to), address)
      await page.evaluate((room) => bench.join(room), ROOM)
    }
    const until = performance.now() + MEET_TIMEOUT_MS
    const knows = (page) => page.evaluate((others) => (bench.others() ?? others) >= others, count - 1)
    while (!(await Promise.all(pages.map(knows))).every(Boolean) && performance.now() < until) await pause(20)
    return await act({ pages, address })
  } finally {
    await Promise.all(pages.map((page) => page.context().close()))
    await server.stop()
  }
}

/** A Chromium, and a server for the page. */
async function launch(bundle) {
  const http = createServer(({ url }, response) => {
    const [type, body] =
      url === '/page.js'
        ? ['text/javascript', bundle]
        : ['text/html', '<!doctype html><script type="module" src="/page.js"></script>']
    response.writeHead(200, { 'content-type': type }).end(body)
  })
  await new Promise((resolve) => http.listen(0, '127.0.0.1', resolve))
  const chrome = await chromium.launch(chromiumLaunch)
  return {
    newPages: (count) =>
      Promise.all(
        Array.from({ length: count }, async () => {
          // Each a visitor of its own.
          const page = await (await chrome.newContext()).newPage()
          await page.goto(`http://127.0.0.1:${http.address().port}/`)
          await page.waitForFunction(() => globalThis.bench !== undefined)
          return page
        }),
      ),
    async close() {
      await chrome.close()
      await new Promise((resolve) => http.close(resolve))
    },
  }
}

async function bundleOf(peer) {
  const { outputFiles } = await build({
    stdin: {
      contents: `
        import { open } from './pages/${peer}.mjs'
        import { takePart } from './page.mjs'
        takePart(open)
      `,
      resolveDir: here,
    },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    write: false,
    logLevel: 'error',
    tsconfigRaw: {},
  })
  return outputFiles[0].text
}

function barsOf(results, name, title, unit, key) {
  const bars = results.map((row) => ({
    label: row.isSigned ? row.title : `${row.title} (not signed)`,
    value: row[key],
  }))
  return { kind: 'bars', name, title, unit, bars: bars.sort((a, b) => a.value - b.value) }
}
