import { expect } from '@playwright/test'
import type { Engine } from './agent/protocol.ts'
import { converse, part } from './conversation.ts'
import type { Tab } from './lab/tab.ts'
import { APP_NAME, type HostName, NODE_NAME } from './lab/topology.ts'
import { test } from './matrix-test.ts'
import { expectWay } from './way.ts'

/** Where no WebRTC gets through, as `laboratory.spec.ts` shows, everybody chats all the same. */
const CASES: { title: string; pair: [[HostName, Engine], [HostName, Engine]] }[] = [
  {
    title: 'a network that blocks UDP, and somebody at home',
    pair: [
      ['hotel-1', 'chromium'],
      ['home-1', 'firefox'],
    ],
  },
  {
    title: 'two symmetric NATs without a TURN server',
    pair: [
      ['phone-1', 'chromium'],
      ['cafe-1', 'firefox'],
    ],
  },
  {
    title: 'a browser without WebRTC (WebKitGTK), and one with it in the same LAN',
    pair: [
      ['office-2', 'webkit'],
      ['office-1', 'chromium'],
    ],
  },
]

for (const { title, pair } of CASES) {
  test(`through the node: ${title}`, async ({ lab }) => {
    const node = await lab.services.node()
    const [one, other] = await Promise.all(pair.map(([host, engine]) => lab.host(host).open(engine)))
    if (one === undefined || other === undefined) throw new Error('a pair has two ends')
    await chatThroughNode(one, other, node.url)
    await chatThroughNode(other, one, node.url)
  })
}

test('through a node behind nginx with TLS, from an https page: over wss, from networks without UDP', async ({
  lab,
}) => {
  await lab.services.node([
    ...['--host', '127.0.0.1', '--trust-proxy'],
    ...['--announce', `/dns/${NODE_NAME}/tcp/443/tls/ws`],
  ])
  await lab.services.nginx({ node: NODE_NAME, app: APP_NAME })
  const page = { url: `https://${APP_NAME}/` }
  const [one, other] = await Promise.all([
    lab.host('hotel-1').open('chromium', page),
    lab.host('cafe-1').open('firefox', page),
  ])
  await chatThroughNode(one, other, `https://${NODE_NAME}`)
  await chatThroughNode(other, one, `https://${NODE_NAME}`)
})

/** A whole conversation, with nothing but one WebSocket each, to the node. */
async function chatThroughNode(host: Tab, guest: Tab, nodeUrl: string): Promise<void> {
  const conversation = await converse(host, guest, { nodes: [nodeUrl] })
  await expectWay(conversation, 'node')
  for (const tab of [host, guest]) {
    const sockets = (await tab.do('sockets')).map((url) => new URL(url).origin)
    expect(sockets).toEqual([nodeUrl.replace(/^http/, 'ws')])
  }
  await part(conversation)
}
