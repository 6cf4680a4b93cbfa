import { test } from 'vitest'
import { createServer } from 'node:net'
import { createLyingNode } from '../support/bare-peer.ts'
import { atEnd, openTestSpace, startNode } from '../support/resources.ts'
import { connected } from '../support/wait.ts'

// Two federated honest nodes; Bob at the second; Ada at the first and at a third that accepts rendezvous streams and never answers.
async function run(stall: boolean) {
  const first = await startNode()
  const second = await startNode({ peers: [first.url] })
  await new Promise((r) => setTimeout(r, 1500))
  const lying = await createLyingNode(); atEnd(() => lying.stop())
  await lying.handle('/rendezvous/1.0.0', () => {})
  const bob = await openTestSpace('s', { nodes: [second.url], direct: false })
  const bobs = await bob.joinChat('r'); await connected(bobs)
  for (let i = 0; i < 5; i++) await bobs.send(`m${i}`)
  await new Promise((r) => setTimeout(r, 2000))
  const ada = await openTestSpace('s', { nodes: [first.url, ...(stall ? [lying.getMultiaddrs()[0]!.toString()] : [])], direct: false })
  const t = Date.now()
  const chat = await ada.joinChat('r')
  let at = -1
  chat.on('backlog', (m) => { if (m.length > 0 && at < 0) at = Date.now() - t })
  const got = await chat.requestBacklog()
  console.log('STALL', stall, 'requestBacklog', got.length, 'after', Date.now() - t, 'backlog event', at)
  const end = Date.now() + 25_000
  while (at < 0 && Date.now() < end) await new Promise((r) => setTimeout(r, 100))
  console.log('STALL', stall, 'backlog event at', at)
}
test('no stall', () => run(false), 60_000)
test('stall', () => run(true), 60_000)
