import { expect, type Page } from '@playwright/test'
import { didOf, member, row, say, test } from './support/stage.ts'

/** How many WebRTC connections of a page are up. */
function links(page: Page): Promise<number> {
  return page.evaluate(
    () =>
      (globalThis as unknown as { connections: RTCPeerConnection[] }).connections.filter(
        ({ connectionState }) => connectionState === 'connected',
      ).length,
  )
}

/** Keeps hold of the WebRTC connections a page makes. */
function watchConnections(): void {
  const connections: RTCPeerConnection[] = []
  Object.assign(globalThis, {
    connections,
    RTCPeerConnection: class extends RTCPeerConnection {
      constructor(configuration?: RTCConfiguration) {
        super(configuration)
        connections.push(this)
      }
    },
  })
}

test('two pages that are connected directly lose nothing when the node is killed mid-chat, and all is well when it is back', async ({
  browser,
  stage,
}) => {
  const ada = await stage.enter(browser, 'Ada', { script: watchConnections })
  const bob = await stage.enter(browser, 'Bob', { script: watchConnections })
  const [adasDid, bobsDid] = [await didOf(ada), await didOf(bob)]
  for (const page of [ada, bob]) await expect.poll(() => links(page), { timeout: 20_000 }).toBe(1)

  const texts: string[] = []
  const talk = async (page: Page, name: string, count: number): Promise<void> => {
    for (let index = 0; index < count; index += 1) {
      const text = `${name} ${texts.length}`
      texts.push(text)
      await say(page, text)
    }
  }
  await talk(ada, 'before, Ada', 3)
  const stopping = stage.node.stop()
  await talk(ada, 'while it dies, Ada', 5)
  await talk(bob, 'while it dies, Bob', 5)
  await stopping
  await talk(ada, 'without it, Ada', 3)
  await talk(bob, 'without it, Bob', 3)
  for (const page of [ada, bob]) {
    for (const text of texts) await expect(row(page, text)).toHaveCount(1)
    await expect(page.getByTestId('status')).toHaveAttribute('data-state', 'connected')
    await expect(member(page, adasDid)).toHaveCount(1)
    await expect(member(page, bobsDid)).toHaveCount(1)
  }

  await stage.restartNode()
  const cleo = await stage.enter(browser, 'Cleo')
  const cleosDid = await didOf(cleo)
  for (const page of [ada, bob, cleo]) {
    for (const did of [adasDid, bobsDid, cleosDid])
      await expect(member(page, did)).toHaveCount(1, { timeout: 20_000 })
  }
  for (const text of texts) await expect(row(cleo, text)).toHaveCount(1)
  await say(cleo, 'good to be here')
  for (const page of [ada, bob]) await expect(row(page, 'good to be here')).toHaveCount(1)
})

test('a page whose node was away for long is back at once when the browser says it is online', async ({
  browser,
  stage,
}) => {
  const ada = await stage.enter(browser, 'Ada')
  const attempts: number[] = []
  ada.on('requestfailed', (request) => {
    if (request.url().includes('ghostchat.json')) attempts.push(Date.now())
  })
  await stage.node.stop()
  // The fifth attempt fails: the next one is in 6 to 8 s.
  await expect.poll(() => attempts.length, { timeout: 40_000 }).toBeGreaterThanOrEqual(5)
  await stage.restartNode()
  await ada.evaluate(() => dispatchEvent(new Event('online')))
  await expect(ada.getByTestId('status')).toHaveAttribute('data-state', 'connected', { timeout: 4_000 })
})
