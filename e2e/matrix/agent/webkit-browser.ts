import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { untilOutput } from '../../support/shell.ts'
import type { AgentBrowser, AgentPage } from './browser.ts'

const PORT = 4444

/** WebKitGTK answers a navigation before the modules of the page have run. */
const LOADED = `
const [done] = arguments
if (document.readyState === 'complete') done()
else addEventListener('load', () => done())`

/** Runs in the page, as the one above. The last argument takes the answer. */
const CALL = `
const [method, args, done] = arguments
Promise.resolve().then(() => window.lab[method](...args)).then(
  (value) => done({ value }),
  (thrown) => done({ error: String(thrown) }),
)`

/**
 * WebKitGTK's MiniBrowser on a screen in memory, driven over W3C WebDriver. A
 * browser holds one page.
 */
export class WebKitBrowser implements AgentBrowser {
  readonly #processes: ChildProcess[]

  private constructor(processes: ChildProcess[]) {
    this.#processes = processes
  }

  static async launch(): Promise<WebKitBrowser> {
    const screen = spawn('Xvfb', ['-displayfd', '1', '-nolisten', 'tcp', '-screen', '0', '800x600x24'])
    const [, display] = await untilOutput(screen, /^(\d+)\n/)
    // Its default host fails where there is no IPv6.
    const driver = spawn('WebKitWebDriver', ['--host=127.0.0.1', `--port=${PORT}`], {
      env: {
        ...process.env,
        DISPLAY: `:${display}`,
        // Its sandbox refuses to run as root.
        WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1',
      },
    })
    driver.stdout.resume()
    driver.stderr.resume()
    await untilListening()
    return new WebKitBrowser([driver, screen])
  }

  async open(url: string): Promise<AgentPage> {
    const { sessionId } = await request<{ sessionId: string }>('POST', '/session', {
      capabilities: {
        alwaysMatch: { acceptInsecureCerts: true, timeouts: { script: 60_000, pageLoad: 30_000 } },
      },
    })
    const session = `/session/${sessionId}`
    const execute = <Value>(script: string, args: unknown[]): Promise<Value> =>
      request('POST', `${session}/execute/async`, { script, args })
    await request('POST', `${session}/url`, { url })
    await execute(LOADED, [])
    return {
      call: async (method, args) => {
        const { value, error } = await execute<{ value?: unknown; error?: string }>(CALL, [method, args])
        if (error !== undefined) throw new Error(error)
        return value
      },
      close: async () => {
        await request('DELETE', session)
      },
    }
  }

  async close(): Promise<void> {
    for (const child of this.#processes) {
      const closed = once(child, 'close')
      if (child.kill('SIGTERM')) await closed
    }
  }
}

async function untilListening(): Promise<void> {
  // WebKitWebDriver says nothing when it is ready.
  for (const giveUp = Date.now() + 10_000; ; ) {
    try {
      await request('GET', '/status')
      return
    } catch (thrown) {
      if (Date.now() > giveUp) throw thrown
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}

async function request<Value>(method: string, path: string, body?: object): Promise<Value> {
  const response = await fetch(`http://127.0.0.1:${PORT}${path}`, {
    method,
    ...(body && { body: JSON.stringify(body) }),
  })
  const { value } = (await response.json()) as { value: Value & { message?: string } }
  if (!response.ok) throw new Error(`WebDriver ${method} ${path}: ${value.message}`)
  return value
}
