import type { Space } from 'ghostchat'
import { expect, test } from 'vitest'
import { barePeer, openTestSpace, startNode } from '../support/resources.ts'
import { connected } from '../support/wait.ts'

test.each([1, 30])(
  'a space of %i rooms on a dapp’s libp2p node takes its registrations back when it is closed',
  async (count) => {
    const node = await startNode()
    const registrations = async (): Promise<unknown> =>
      (await (await fetch(`${node.url}/healthz`)).json()).registrations
    const own = await barePeer(node.multiaddrs[0] ?? '')
    const open = async (): Promise<Space> => {
      const space = await openTestSpace('own', { libp2p: own, nodes: [node.url] })
      const chats = await Promise.all(
        Array.from({ length: count }, (_, number) => space.joinChat(`room ${number}`)),
      )
      await Promise.all(chats.map(connected))
      await expect.poll(registrations).toBe(count)
      return space
    }
    await (await open()).close()
    await expect.poll(registrations, { timeout: 3_000 }).toBe(0)

    // Whoever closes and opens again in the same breath is registered.
    await (await open()).close()
    const space = await open()
    await connected(await space.joinChat('one more'))
    await expect.poll(registrations).toBe(count + 1)
  },
)
