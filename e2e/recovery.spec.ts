import { expect, type Page } from '@playwright/test'
import { didOf, member, row, say, test } from './support/stage.ts'

/** Where {@link watchGossip} notes what it sees. */
interface Watched {
  /** Whether a stream for gossip to another page is open. */
  canSend?: boolean
  /** Whether another page has said over its own what it is subscribed to. */
  isKnown?: boolean
}

/** Whether a page and another one gossip directly, in both directions. */
function gossipsDirectly(page: Page): Promise<boolean> {
  return page.evaluate(() => {
    const { canSend, isKnown } = globalThis as Watched
    return canSend === true && isKnown === true
  })
}

/** Listens in on the WebRTC channels of a page: each is a stream of libp2p's, and its first message names the protocol. */
function watchGossip(): void {
  const state = globalThis as Watched
  const listen = (channel: RTCDataChannel, isOurs: boolean): void => {
    let isGossip = false
    channel.addEventListener('message', ({ data }) => {
      if (isGossip && !isOurs) state.isKnown = true
      isGossip ||= new TextDecoder().decode(data).includes('/meshsub/')
      if (isGossip && isOurs) state.canSend = true
    })
  }
  globalThis.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(configuration?: RTCConfiguration) {
      super(configuration)
      this.addEventListener('datachannel', ({ channel }) => listen(channel, false))
    }
    override createDataChannel(label: string, init?: RTCDataChannelInit): RTCDataChannel {
      const channel = super.createDataChannel(label, init)
      listen(channel, true)
      return channel
    }
  }
}

/** Makes a page slow to notice that it is connected: the other one is ahead of it by then. */
function noticeLate(): void {
  globalThis.RTCPeerConnection = class extends RTCPeerConnection {
    override async setRemoteDescription(description: RTCSessionDescriptionInit): Promise<void> {
      await super.setRemoteDescription(description)
      if (description.type === 'answer') await new Promise((resolve) => setTimeout(resolve, 500))
    }
  }
}

test('a page that is slow to notice that it is connected directly is connected all the same', async ({
  browser,
  stage,
}) => {
  const script = `(${watchGossip})();(${noticeLate})()`
  const ada = await stage.enter(browser, 'Ada', { script })
  const bob = await stage.enter(browser, 'Bob', { script })
  // Sooner than an attempt that hangs is given up, after 10 s.
  for (const page of [ada, bob]) await expect.poll(() => gossipsDirectly(page), { timeout: 8_000 }).toBe(true)
})

test('two pages that are connected directly lose nothing when the node is killed mid-chat, and all is well when it is back', async ({
  browser,
  stage,
}) => {
  const ada = await stage.enter(browser, 'Ada', { script: `(${watchGossip})()` })
  const bob = await stage.enter(browser, 'Bob', { script: `(${watchGossip})()` })
  const [adasDid, bobsDid] = [await didOf(ada), await didOf(bob)]
  for (const page of [ada, bob])
    await expect.poll(() => gossipsDirectly(page), { timeout: 20_000 }).toBe(true)

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
