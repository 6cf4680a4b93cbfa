import { expect } from '@playwright/test'
import type { Engine } from './agent/protocol.ts'
import { converse, part, talk } from './conversation.ts'
import type { NodeProcess } from './lab/services.ts'
import type { Tab } from './lab/tab.ts'
import { APP_NAME, type HostName, NODE_NAME } from './lab/topology.ts'
import { test } from './matrix-test.ts'
import { expectWay, type Way } from './way.ts'

test.describe.configure({ timeout: 180_000 })

/** A pair that needs nothing but a node: no server is named to the pages. */
const CASES: {
  title: string
  pair: [[HostName, Engine], [HostName, Engine]]
  way: Way
}[] = [
  {
    title: 'two browsers on one machine',
    pair: [
      ['office-1', 'chromium'],
      ['office-1', 'firefox'],
    ],
    way: 'host',
  },
  {
    title: 'two browsers in one LAN',
    pair: [
      ['office-1', 'chromium'],
      ['office-2', 'firefox'],
    ],
    way: 'host',
  },
  {
    title: 'two browsers behind two cone NATs, by the STUN of the node',
    pair: [
      ['office-1', 'chromium'],
      ['home-1', 'firefox'],
    ],
    way: 'nat',
  },
]

for (const { title, pair, way } of CASES) {
  test(`direct: ${title}`, async ({ lab }) => {
    const node = await lab.services.node()
    const [one, other] = await Promise.all(pair.map(([host, engine]) => lab.host(host).open(engine)))
    if (one === undefined || other === undefined) throw new Error('a pair has two ends')
    await chatDirectly({ host: one, guest: other, node, way })
  })
}

test('direct: two browsers behind symmetric NATs, through the TURN server of the node’s operator', async ({
  lab,
}) => {
  const turn = await lab.services.turn()
  const node = await lab.services.node(['--ice-server', turn.turnUrl, '--turn-secret-file', turn.secretFile])
  const [host, guest] = await Promise.all([
    lab.host('phone-1').open('chromium'),
    lab.host('cafe-1').open('firefox'),
  ])
  await chatDirectly({ host, guest, node, way: 'turn' })
})

test('direct: two https pages behind two cone NATs, by a node behind nginx with TLS', async ({ lab }) => {
  const node = await lab.services.node(['--trust-proxy', '--announce', `/dns/${NODE_NAME}/tcp/443/tls/ws`])
  await lab.services.nginx({ node: NODE_NAME, app: APP_NAME })
  const page = { url: `https://${APP_NAME}/` }
  const [host, guest] = await Promise.all([
    lab.host('office-1').open('chromium', page),
    lab.host('home-1').open('firefox', page),
  ])
  await chatDirectly({ host, guest, node: { ...node, url: `https://${NODE_NAME}` }, way: 'nat' })
})

test('where every attempt to connect directly fails, the conversation goes on through the node', async ({
  lab,
}) => {
  const node = await lab.services.node()
  const [host, guest] = await Promise.all([
    lab.host('hotel-1').open('chromium'),
    lab.host('home-1').open('firefox'),
  ])
  const conversation = await converse(host, guest, { nodes: [node.url] })
  for (const tab of [host, guest]) {
    await expect.poll(() => tab.do('attempts'), { timeout: 20_000 }).toBeGreaterThan(0)
  }
  await talk(conversation, 'while it is being tried')
  // A connection that failed is closed, and then no longer among the links.
  for (const tab of [host, guest]) {
    await expect.poll(() => tab.do('links'), { timeout: 40_000 }).toEqual([])
  }
  await talk(conversation, 'after it failed')
  await expectWay(conversation, 'node')
  await part(conversation)
})

/** A conversation that begins through the node, goes on directly, and outlives the node; before, the same the other way round. */
async function chatDirectly(options: { host: Tab; guest: Tab; node: NodeProcess; way: Way }) {
  const { host, guest, node, way } = options
  const reversed = await converse(guest, host, { nodes: [node.url] })
  await expectWay(reversed, way)
  await talk(reversed, 'directly')
  await part(reversed)

  const conversation = await converse(host, guest, { nodes: [node.url] })
  await expectWay(conversation, way)
  await node.stop()
  await talk(conversation, 'the node is gone')
  await part(conversation)
}
