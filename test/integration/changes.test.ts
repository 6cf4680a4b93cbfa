import { expect, test } from 'vitest'
import { encodeFrame } from '../../src/wire/frame.ts'
import { enterTopic } from '../support/bare-peer.ts'
import { authorOf } from '../support/forge.ts'
import { barePeer, openTestSpace, startNode } from '../support/resources.ts'
import { arrival, connected, eventOf } from '../support/wait.ts'

test('edits, deletes and reactions reach everybody over a node, and a newcomer gets what is left of them', async () => {
  const node = await startNode()
  const ada = await openTestSpace('changes', { nodes: [node.url] })
  const bob = await openTestSpace('changes', { nodes: [node.url] })
  const adasChat = await ada.joinChat('lobby')
  const bobsChat = await bob.joinChat('lobby')
  await Promise.all([connected(adasChat), connected(bobsChat)])

  const arrived = ['first', 'regretted'].map((text) => arrival(bobsChat, text))
  const first = await adasChat.send('first')
  const regretted = await adasChat.send('regretted')
  const [received, doomed] = await Promise.all(arrived)

  const edited = eventOf(bobsChat, 'message-updated')
  await adasChat.edit(first, 'first, edited')
  expect((await edited)[1]).toBe(received)
  expect(received?.text).toBe('first, edited')

  const reacted = eventOf(adasChat, 'message-updated', (_did, { reactions }) => reactions.size > 0)
  await bobsChat.react(first.id, '👍')
  expect([...(await reacted)[1].reactions]).toEqual([['👍', [bob.did]]])

  const deleted = eventOf(bobsChat, 'message-deleted')
  await adasChat.delete(regretted)
  expect((await deleted)[1]).toBe(doomed)
  expect(doomed).toMatchObject({ isDeleted: true, text: '', jwt: '' })
  const answered = arrival(adasChat, 'an answer')
  const answer = await bobsChat.reply(regretted.id, 'an answer')
  expect((await answered).replyTo).toBe(regretted.id)

  const carol = await openTestSpace('changes', { nodes: [node.url] })
  const carolsChat = await carol.joinChat('lobby')
  const [backlog] = await eventOf(carolsChat, 'backlog')
  expect(backlog.map(String)).toEqual(['first, edited', 'an answer'])
  expect(backlog[0]).toMatchObject({ id: first.id, editedAt: first.editedAt })
  expect([...(backlog[0]?.reactions ?? [])]).toEqual([['👍', [bob.did]]])
  expect(carolsChat.message(regretted.id)).toBeUndefined()
  expect(carolsChat.message(answer.id)?.replyTo).toBe(regretted.id)
})

test('an edit and a delete that travel ahead of their messages take effect when these come', async () => {
  const node = await startNode()
  const ada = await openTestSpace('ahead', { nodes: [node.url] })
  const adasChat = await ada.joinChat('lobby')
  await connected(adasChat)
  const { topic } = adasChat
  const stranger = await barePeer(node.multiaddrs[0] ?? '')
  const { pubsub } = stranger.services
  await enterTopic(pubsub, topic)
  const author = await authorOf(topic)

  const message = await author.write('message', { text: 'first' })
  const edit = await author.write('edit', { target: message.id, text: 'second' })
  const reaction = await author.write('reaction', { target: message.id, emoji: '👍', state: 'add' })
  const doomed = await author.write('message', { text: 'doomed' })
  const deletion = await author.write('delete', { target: doomed.id })
  const last = await author.write('message', { text: 'last' })

  const texts: string[] = []
  adasChat.on('message', (_did, { text }) => texts.push(text))
  // Gossip keeps no order between its messages; within one, this marker comes last.
  const marker = await author.write('message', { text: 'the changes are there' })
  const ahead = arrival(adasChat, 'the changes are there')
  await pubsub.publish(topic, encodeFrame([deletion, reaction, edit, marker].map(({ jwt }) => jwt)))
  await ahead
  const heard = arrival(adasChat, 'last')
  await pubsub.publish(topic, encodeFrame([message, doomed, last].map(({ jwt }) => jwt)))
  await heard
  expect(texts).toEqual(['the changes are there', 'second', 'last'])
  expect(adasChat.message(doomed.id)).toBeUndefined()

  // The node keeps no messages: this is what Ada passes on.
  const bob = await openTestSpace('ahead', { nodes: [node.url] })
  const bobsChat = await bob.joinChat('lobby')
  const [backlog] = await eventOf(bobsChat, 'backlog')
  expect(backlog.map(String)).toEqual(['second', 'last', 'the changes are there'])
  expect([...(backlog[0]?.reactions ?? [])]).toEqual([['👍', [author.did]]])
  expect(bobsChat.message(doomed.id)).toBeUndefined()
})
