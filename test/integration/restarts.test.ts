import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { GhostChat, Message } from '../../src/index.ts'
import { atEnd, openTestSpace, startNode } from '../support/resources.ts'
import { online } from '../support/wait.ts'

const CLIENTS = 4
const CYCLES = 20
/** So long everybody stays connected: a connection that ends sooner counts as a failure, and pauses grow. */
const HELD_MS = 3_100
/** Each client writes so often. */
const WRITE_MS = 150

async function health(
  url: string,
): Promise<{ connections: number; reservations: number; registrations: number }> {
  return (await (await fetch(`${url}/healthz`)).json()) as never
}

test(`a node that is killed and started ${CYCLES} times under traffic loses no message and nobody, and everybody is back by itself`, async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'ghostchat-test-'))
  atEnd(() => rm(dataDir, { recursive: true }))
  let node = await startNode({ dataDir })
  const { url } = node
  const port = Number(new URL(url).port)
  const spaces = await Promise.all(
    Array.from({ length: CLIENTS }, () => openTestSpace('restarts', { nodes: [url] })),
  )
  const chats = await Promise.all(spaces.map((space) => space.joinChat('lobby')))
  const dids = spaces.map(({ did }) => did)
  for (const chat of chats) await online(chat, dids)

  const surfaced = chats.map(record)
  const left: string[] = []
  for (const chat of chats) chat.on('user-left', (did) => left.push(did))

  const sent: string[] = []
  const sending: Promise<unknown>[] = []
  const traffic = setInterval(() => {
    for (const [index, chat] of chats.entries()) {
      const text = `${index} ${sent.length}`
      sent.push(text)
      sending.push(chat.send(text))
    }
  }, WRITE_MS)
  try {
    for (let cycle = 0; cycle < CYCLES; cycle += 1) {
      await node.stop()
      node = await startNode({ dataDir, port })
      await expect
        .poll(() => health(url), { timeout: 20_000 })
        .toMatchObject({ reservations: CLIENTS, registrations: CLIENTS })
      await new Promise((resolve) => setTimeout(resolve, HELD_MS))
    }
  } finally {
    clearInterval(traffic)
  }
  await Promise.all(sending)
  for (const texts of surfaced) await expect.poll(() => texts.length, { timeout: 20_000 }).toBe(sent.length)
  for (const texts of surfaced) expect([...texts].sort()).toEqual([...sent].sort())
  expect(left).toEqual([])
  for (const chat of chats) expect([...chat.onlineUsers()].sort()).toEqual([...dids].sort())
}, 240_000)

/** The texts a chat shows, each time it shows one. */
function record(chat: GhostChat): string[] {
  const texts: string[] = []
  const note = (message: Message): void => void texts.push(message.text)
  chat.on('message', (_did, message) => note(message))
  chat.on('backlog', (messages) => messages.forEach(note))
  return texts
}
