import { fileURLToPath } from 'node:url'
import { type Browser, type BrowserContextOptions, test as base, expect, type Page } from '@playwright/test'
// The built package, as a user gets it.
import { createGhostNode, type GhostNode } from 'ghostchat/node'
import { serveStatic } from '../../scripts/static-server.mjs'

const PAGE = fileURLToPath(new URL('../../examples/chat/dist', import.meta.url))

/** What Firefox reports as an error of the page when a node is down: nothing a page could prevent. */
const UNREACHABLE =
  /Cross-Origin Request Blocked|can’t establish a connection|connection to .* was interrupted/

/** A GhostNode and the chat page, for one test. */
export interface Stage {
  node: GhostNode
  /** Starts a node where the one of the stage was stopped. */
  restartNode(): Promise<void>
  /** The page's URL. */
  url: string
  /** Opens the page in a browser of its own (nothing shared), as somebody with this name. */
  enter(
    browser: Browser,
    name: string,
    options?: {
      room?: string
      context?: BrowserContextOptions
      /** Runs in the page before anything else does. */
      script?: string
    },
  ): Promise<Page>
}

export const test = base.extend<{ stage: Stage }>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names of the fixtures from the pattern
  stage: async ({}, use) => {
    const node = await createGhostNode({ host: '127.0.0.1', port: 0 })
    const later: GhostNode[] = []
    const site = await serveStatic({ directory: PAGE, config: { nodes: [node.url] } })
    const violations: string[] = []
    await use({
      node,
      restartNode: async () => {
        later.push(await createGhostNode({ host: '127.0.0.1', port: Number(new URL(node.url).port) }))
      },
      url: site.url,
      enter: async (browser, name, { room = 'lobby', context: contextOptions = {}, script } = {}) => {
        const context = await browser.newContext(contextOptions)
        const page = await context.newPage()
        if (script !== undefined) await page.addInitScript(script)
        page.on('console', (message) => {
          if (/content.security.policy/i.test(message.text())) violations.push(message.text())
        })
        page.on('pageerror', (error) => {
          if (!UNREACHABLE.test(String(error))) violations.push(String(error))
        })
        await page.goto(`${site.url}/#${encodeURIComponent(room)}`)
        await page.getByTestId('name-input').fill(name)
        await page.getByTestId('name-submit').click()
        await expect(page.getByTestId('status')).toHaveAttribute('data-state', 'connected')
        return page
      },
    })
    await site.close()
    for (const running of [node, ...later]) await running.stop()
    expect(violations).toEqual([])
  },
})

/** The DID the page chats under. */
export async function didOf(page: Page): Promise<string> {
  return (await page.getByTestId('own-did').getAttribute('data-did')) ?? ''
}

/** Writes a message and sends it with the Enter key. */
export async function say(page: Page, text: string): Promise<void> {
  await page.getByTestId('composer').fill(text)
  await page.getByTestId('composer').press('Enter')
}

/** The row of the message with this text. */
export function row(page: Page, text: string) {
  return page
    .getByTestId('message')
    .filter({ has: page.getByTestId('message-text').getByText(text, { exact: true }) })
}

/** The list entry of a member. */
export function member(page: Page, did: string) {
  return page.locator(`[data-testid="member"][data-did="${did}"]`)
}
