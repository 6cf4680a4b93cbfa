import { createServer } from 'node:http'
import { expect, test } from 'vitest'
import { openTestSpace, startNode } from '../support/resources.ts'
import { connected } from '../support/wait.ts'

test('routing endpoint is asked how often', async () => {
  const times: number[] = []
  const server = createServer((q, r) => { times.push(Date.now()); r.setHeader('content-type', 'application/json'); r.end('{"Providers":[]}') })
  await new Promise<void>((r) => server.listen(0, '127.0.0.1', r))
  const { port } = server.address() as { port: number }
  const node = await startNode()
  const ada = await openTestSpace('x', { nodes: [node.url], delegatedRouting: [`http://127.0.0.1:${port}`] })
  const rooms = []
  for (const name of ['a', 'b', 'c']) rooms.push(await ada.joinChat(name))
  await connected(rooms[0] as never)
  await new Promise((r) => setTimeout(r, 20_000))
  console.log('ROUTING REQUESTS in 20 s, 3 rooms:', times.length, 'in last 10 s:', times.filter((t) => t > Date.now() - 10_000).length)
  server.close()
}, 40_000)
