import { randomUUID } from 'node:crypto'
import { expect } from '@playwright/test'
import type { Tab } from './lab/tab.ts'
import type { JoinOptions } from './page/api.ts'

/** Two who are in a room of their own. */
export interface Conversation {
  host: { tab: Tab; did: string }
  guest: { tab: Tab; did: string }
}

/**
 * One is in a room and says something; another comes, reads it, and both see
 * both. Then they talk, both ways.
 */
export async function converse(
  host: Tab,
  guest: Tab,
  options: Pick<JoinOptions, 'nodes' | 'iceServers'>,
): Promise<Conversation> {
  const place = { space: `matrix-${randomUUID()}`, room: 'lobby', ...options }
  const hostDid = await host.do('join', place)
  await host.do('say', 'is anybody here?')
  const guestDid = await guest.do('join', place)
  await expect.poll(() => guest.do('backlog')).toEqual([{ did: hostDid, text: 'is anybody here?' }])
  for (const tab of [host, guest]) {
    await expect.poll(() => tab.do('online')).toEqual([hostDid, guestDid].toSorted())
  }
  const conversation = { host: { tab: host, did: hostDid }, guest: { tab: guest, did: guestDid } }
  await talk(conversation, 'I am')
  return conversation
}

/** Both say something, and each hears the other. */
export async function talk({ host, guest }: Conversation, text: string): Promise<void> {
  for (const [from, to] of [
    [guest, host],
    [host, guest],
  ] as const) {
    await from.tab.do('say', text)
    await expect.poll(() => to.tab.do('messages')).toContainEqual({ did: from.did, text })
  }
}

/** The guest leaves, which the host sees; then the host. */
export async function part({ host, guest }: Conversation): Promise<void> {
  await guest.tab.do('leave')
  await expect.poll(() => host.tab.do('online')).toEqual([host.did])
  await host.tab.do('leave')
}
