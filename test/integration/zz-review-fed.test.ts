import { test } from 'vitest'
import { barePeer, openTestSpace, startNode } from '../support/resources.ts'
import { connected } from '../support/wait.ts'
import { RendezvousClient } from '../../src/discovery/rendezvous-client.ts'
import { createBarePeer } from '../support/bare-peer.ts'
import { lpStream } from '@libp2p/utils'
import { decodeRendezvous } from '../../src/wire/rendezvous.ts'

test('one fake node', async () => {
  const node = await startNode()
  const asked: string[] = []
  const client = await barePeer(node.multiaddrs[0] ?? '')
  const rv = new RendezvousClient({ libp2p: client })
  const time = async (ns: string) => { const t = Date.now(); await rv.discover(client.getConnections()[0] as never, { namespace: ns }); return Date.now() - t }
  console.log('honest', await time('3box.chat.a.secret-1'))
  const fake = await createBarePeer('/ip4/127.0.0.1/tcp/1').catch(() => undefined) ?? await barePeer(node.multiaddrs[0] ?? '')
  await fake.handle('/ghostchat/node/1.0.0', (s) => s.abort(new Error('x')))
  await fake.handle('/rendezvous/1.0.0', async (s) => { const r = await lpStream(s).read(); const m = decodeRendezvous(r.subarray()); asked.push((m as { namespace: string }).namespace) })
  await new Promise((r) => setTimeout(r, 2000))
  console.log('with one fake', await time('3box.chat.a.secret-2'), await time('3box.chat.a.secret-3'), asked)
  const many = await Promise.all(Array.from({ length: 100 }, (_, i) => i).map((i) => i)) ; void many
}, 30_000)
