import { expect, test } from 'vitest'
import { atEnd, openTestSpace, startNode } from '../support/resources.ts'
import { RoamingProxy } from '../support/roaming-proxy.ts'
import { arrival, connected, eventOf, online } from '../support/wait.ts'

test('a device that comes back from another network, while the node knows nothing of it, hears what is said', async () => {
  const node = await startNode()
  const proxy = await RoamingProxy.start(Number(new URL(node.url).port))
  atEnd(() => proxy.close())
  const away = await openTestSpace('roaming', {
    nodes: [`/ip4/127.0.0.1/tcp/${proxy.port}/ws/p2p/${node.peerId}`],
  })
  const home = await openTestSpace('roaming', { nodes: [node.url] })
  const [awayChat, homeChat] = [await away.joinChat('lobby'), await home.joinChat('lobby')]
  await Promise.all([awayChat, homeChat].map((chat) => online(chat, [away.did, home.did])))

  for (let time = 1; time <= 3; time += 1) {
    const lost = eventOf(awayChat, 'status', ({ current }) => current === 'reconnecting')
    proxy.roam()
    await lost
    await connected(awayChat)
    const heard = arrival(awayChat, `welcome ${time}`)
    await homeChat.send(`welcome ${time}`)
    await heard
  }
  expect(homeChat.onlineUsers()).toContain(away.did)
}, 60_000)
