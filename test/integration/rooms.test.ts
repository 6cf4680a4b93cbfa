import { expect, test } from 'vitest'
import { openTestSpace, startNode } from '../support/resources.ts'
import { connected, eventOf } from '../support/wait.ts'

const ROOMS = Array.from({ length: 40 }, (_, index) => `room ${index}`)

test('who shares many rooms with another gets the backlog of each of them', async () => {
  const node = await startNode()
  const ada = await openTestSpace('rooms', { nodes: [node.url] })
  await Promise.all(
    ROOMS.map(async (room) => {
      const chat = await ada.joinChat(room)
      await connected(chat)
      await chat.send(`written in ${room}`)
    }),
  )
  const bob = await openTestSpace('rooms', { nodes: [node.url] })
  const backlogs = await Promise.all(
    ROOMS.map(async (room) => {
      const chat = await bob.joinChat(room)
      // What was said in the last seconds may come as gossip still, before the backlog does.
      const gossip: string[] = []
      chat.on('message', (_did, message) => gossip.push(String(message)))
      const [messages] = await eventOf(chat, 'backlog')
      return [...gossip, ...messages.map(String)]
    }),
  )
  expect(backlogs).toEqual(ROOMS.map((room) => [`written in ${room}`]))
})
