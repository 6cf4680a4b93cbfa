import { createServer } from 'node:http'
import { test } from 'vitest'
import { openTestSpace, startNode, atEnd } from '../support/resources.ts'
import { connected } from '../support/wait.ts'
import { fetchNodeInfo } from '../../src/discovery/node-address.ts'
import { openSpace } from '../../src/index.ts'
import { createServer as tcp } from 'node:net'

async function fakeNode(extra: object) {
  const server = createServer((q, r) => { r.setHeader('content-type', 'application/json'); r.end(JSON.stringify({ version: '1', peerId: '12D3KooWGzBXWNvHpLALvz3jhwdMF3jcztLFQp9N2yQQZ9pYqe4A', multiaddrs: [], time: Date.now(), ...extra })) })
  await new Promise<void>((r) => server.listen(0, '127.0.0.1', r))
  atEnd(() => { server.closeAllConnections(); server.close() })
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`
}
test('peer poisons description', async () => {
  for (const multiaddrs of [Array.from({ length: 32 }, (_, i) => `/ip4/192.168.1.${i}/tcp/80/ws`), ['x'.repeat(15_900)], ['/ip4/192.168.1.1/tcp/80/ws']]) {
    const node = await startNode({ peers: [await fakeNode({ multiaddrs })] })
    await new Promise((r) => setTimeout(r, 700))
    const raw = await (await fetch(node.url + '/.well-known/ghostchat.json')).text()
    console.log('DESCRIPTION bytes', raw.length, 'peers', JSON.parse(raw).peers.length, JSON.parse(raw).peers.slice(0, 3).map((p: string) => p.slice(0, 60)),
      'client reads:', await fetchNodeInfo(new URL(node.url), AbortSignal.timeout(3000)).then(() => 'ok', (e) => e.message))
  }
})
test('9 ice servers', async () => {
  const node = await startNode({ iceServers: Array.from({ length: 9 }, (_, i) => `stun:s${i}.example:3478`) })
  console.log('NINE:', await fetchNodeInfo(new URL(node.url), AbortSignal.timeout(3000)).then(() => 'ok', (e) => e.message))
  const many = await startNode({ announce: Array.from({ length: 33 }, (_, i) => `/dns4/s${i}.example/tcp/443/tls/ws`) })
  console.log('ANNOUNCE 33:', await fetchNodeInfo(new URL(many.url), AbortSignal.timeout(3000)).then(() => 'ok', (e) => e.message))
})
test('options', async () => {
  for (const o of [{ delegatedRouting: ['https://u:p@x'] }, { delegatedRouting: ['http://x'] }, { iceServers: [{ urls: 'stun:a:b:c' }] }, { iceServers: [{ urls: ['turn:x'], username: '', credential: '' }] }, { nodes: ['/p2p/12D3KooWGzBXWNvHpLALvz3jhwdMF3jcztLFQp9N2yQQZ9pYqe4A'] }, { nodes: ['/ip4/1.2.3.4/tcp/1/p2p/12D3KooWGzBXWNvHpLALvz3jhwdMF3jcztLFQp9N2yQQZ9pYqe4A'] }, { nodes: ['http://x/?a=b#c'] }, { nodes: ['http://a..b/'] }, { nodes: ['http://[fe80::1%25eth0]/'] }])
    await openSpace('o', { identity: 'ephemeral', logger: { debug() {}, warn() {} }, ...o }).then(async (s) => { console.log('OPTION accepted', JSON.stringify(o)); await s.close() }, (e) => console.log('OPTION', e.code ?? e, e.message, JSON.stringify(o)))
})
test('version escape + nested ice', async () => {
  const url = await fakeNode({ version: '\u001b]0;pwned\u0007\u001b[2J', time: 1e308 })
  const s = await openTestSpace('v', { nodes: [url] })
  await s.joinChat('r'); await new Promise((r) => setTimeout(r, 500))
  const d = await s.diagnose()
  console.log('VERSION', JSON.stringify(d.nodes[0]), JSON.stringify(d.problems.map((p) => p.message.slice(0, 60))))
})
