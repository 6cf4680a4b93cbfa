import { type Browser, chromium, firefox } from 'playwright'
import { chromiumLaunch, firefoxLaunch } from '../../support/browsers.ts'
import type { AgentBrowser, AgentPage } from './browser.ts'

/** Chromium or Firefox. */
export class PlaywrightBrowser implements AgentBrowser {
  readonly #browser: Browser

  private constructor(browser: Browser) {
    this.#browser = browser
  }

  static async launch(engine: 'chromium' | 'firefox'): Promise<PlaywrightBrowser> {
    const browser = engine === 'chromium' ? chromium.launch(chromiumLaunch) : firefox.launch(firefoxLaunch)
    return new PlaywrightBrowser(await browser)
  }

  async open(url: string, log: (line: string) => void): Promise<AgentPage> {
    const context = await this.#browser.newContext({ ignoreHTTPSErrors: true })
    const page = await context.newPage()
    page.on('console', (message) => log(`${message.type()}: ${message.text()}`))
    page.on('pageerror', (error) => log(`page error: ${error}`))
    await page.goto(url)
    return {
      call: (method, args) =>
        page.evaluate(([name, given]) => (window.lab as unknown as Record<string, Call>)[name]?.(...given), [
          method,
          args,
        ] as const),
      close: () => context.close(),
    }
  }

  async close(): Promise<void> {
    await this.#browser.close()
  }
}

type Call = (...args: unknown[]) => unknown
