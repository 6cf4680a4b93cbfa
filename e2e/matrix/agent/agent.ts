/**
 * Runs on a machine of the laboratory, with its browsers: a browser's control
 * socket cannot be reached from outside its network namespace. Serves the page
 * on that machine's own localhost, which makes it a secure context, and knows the
 * names of the laboratory's internet.
 *
 * Usage: `node agent.ts <folder of the page>`. Ends, with its browsers, when its
 * standard input does.
 */
import { createInterface } from 'node:readline'
import { serveStatic } from '../../../scripts/static-server.mjs'
import { NAMES } from '../lab/topology.ts'
import type { AgentBrowser, AgentPage } from './browser.ts'
import { serveNames } from './name-server.ts'
import { PlaywrightBrowser } from './playwright-browser.ts'
import type { AgentMethods, Engine, FromAgent, Request } from './protocol.ts'
import { WebKitBrowser } from './webkit-browser.ts'

const [directory = ''] = process.argv.slice(2)
const endNames = await serveNames(NAMES)
const site = await serveStatic({ directory })
const browsers = new Map<Engine, Promise<AgentBrowser>>()
const pages = new Map<number, AgentPage>()
let lastPage = 0

const methods: AgentMethods = {
  open: async ({ engine, url = site.url }) => {
    const launched = browsers.get(engine) ?? launch(engine)
    browsers.set(engine, launched)
    lastPage += 1
    const number = lastPage
    pages.set(number, await (await launched).open(url, (log) => send({ log })))
    return number
  },
  call: async ({ page, method, args }) => {
    const open = pages.get(page)
    if (open === undefined) throw new Error(`the page ${page} was closed`)
    return open.call(method, args)
  },
  clear: async () => {
    const open = [...pages.values()]
    pages.clear()
    await Promise.all(open.map((page) => page.close()))
  },
}

for await (const line of createInterface({ input: process.stdin })) void answer(JSON.parse(line))

await Promise.allSettled([...browsers.values()].map(async (browser) => (await browser).close()))
await site.close()
endNames()
process.exit()

async function answer({ id, method, params }: Request): Promise<void> {
  try {
    const run = methods[method] as (options: typeof params) => Promise<unknown>
    send({ id, result: await run(params) })
  } catch (thrown) {
    send({ id, error: thrown instanceof Error ? thrown.message : String(thrown) })
  }
}

function launch(engine: Engine): Promise<AgentBrowser> {
  return engine === 'webkit' ? WebKitBrowser.launch() : PlaywrightBrowser.launch(engine)
}

function send(message: FromAgent): void {
  process.stdout.write(`${JSON.stringify(message)}\n`)
}
