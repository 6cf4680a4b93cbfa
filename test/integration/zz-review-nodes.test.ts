import { expect, test } from 'vitest'
import { barePeer, openTestSpace, startNode } from '../support/resources.ts'
import { connected, online } from '../support/wait.ts'
import { fetchNodeInfo } from '../../src/discovery/node-address.ts'

test('64 fake nodes shut out the real one', async () => {
  const second = await startNode()
  const first = await startNode({ })
  // fakes at the node that will name nobody; the real node dials in afterwards
  for (let i = 0; i < 64; i++) {
    const p = await barePeer('/ip4/127.0.0.1/tcp/1'.length ? first.multiaddrs[0] ?? '' : '')
    await p.handle('/ghostchat/node/1.0.0', (s) => { s.abort(new Error('x')) })
  }
  await new Promise((r) => setTimeout(r, 2000))
  const third = await startNode({ peers: [first.url] })
  await new Promise((r) => setTimeout(r, 2000))
  const h = async (u: string) => (await (await fetch(u + '/healthz')).json()) as Record<string, number>
  console.log('first', await h(first.url)); console.log('third', await h(third.url))
}, 90_000)
