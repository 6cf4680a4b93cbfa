import { test } from 'vitest'
import { openTestSpace, startNode } from '../support/resources.ts'
import { connected, online } from '../support/wait.ts'


test('mesh', async () => {
  const node = await startNode()
  const spaces = await Promise.all([0, 1, 2].map(() => openTestSpace('mesh', { nodes: [node.url], logger: { warn: console.log, debug: console.log } })))
  const chats = await Promise.all(spaces.map((s) => s.joinChat('lobby')))
  await Promise.all(chats.map(connected))
  for (const c of chats) await online(c, spaces.map((s) => s.did))
  const t = Date.now()
  for (let i = 0; i < 40; i++) {
    const d = await Promise.all(spaces.map((s) => s.diagnose()))
    if (i % 5 === 0) console.log(Date.now() - t, d.map(x=>x.peers.map(p=>p.path)))
    if (d.every((x) => x.peers.every((p) => p.path !== 'node'))) { console.log('ALL DIRECT', Date.now() - t, JSON.stringify(d)); break }
    await new Promise((r) => setTimeout(r, 300))
  }
  await node.stop()
  const got = Promise.all([1, 2].map((i) => new Promise((r) => chats[i]!.once('message', (_d, m) => r(m.text)))))
  const m = await chats[0]!.send('after the node died')
  console.log(m.status, await got)
}, 60_000)
