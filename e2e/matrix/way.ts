import { expect } from '@playwright/test'
import type { Conversation } from './conversation.ts'
import type { Tab } from './lab/tab.ts'
import type { Link, Path } from './page/api.ts'

/**
 * The way between two browsers, as their own statistics tell it.
 *
 * - `node`: no WebRTC connection; what they say goes through the node
 * - `host`: from machine to machine, each at its own address
 * - `nat`: from machine to machine, at the outside addresses of their NATs
 * - `turn`: through a TURN server
 */
export type Way = 'node' | 'host' | 'nat' | 'turn'

/** What `space.diagnose()` calls each way. */
const PATHS: Record<Way, Path> = {
  node: 'node',
  host: 'direct',
  nat: 'direct',
  turn: 'relayed',
}

/** A direct connection is made in the background, some seconds after somebody comes; one that failed is tried again after half a minute. */
const WAY_TIMEOUT_MS = 20_000

/** Waits for the two to talk this way, by their browsers' statistics and by GhostChat's own account. */
export async function expectWay({ host, guest }: Conversation, way: Way): Promise<void> {
  await expect.poll(() => wayBetween(host.tab, guest.tab), { timeout: WAY_TIMEOUT_MS }).toBe(way)
  await Promise.all([expectPath(host.tab, guest.did, way), expectPath(guest.tab, host.did, way)])
}

/** The browser knows of a connection a moment before GhostChat does. Where there is none, nobody may think so for a moment. */
async function expectPath(tab: Tab, did: string, way: Way): Promise<void> {
  const expected = { [did]: PATHS[way] }
  if (way === 'node') expect(await tab.do('paths')).toEqual(expected)
  else await expect.poll(() => tab.do('paths')).toEqual(expected)
}

/** The way between two browsers who know nobody else; `unsettled` while one of them knows a connection and the other does not. */
export async function wayBetween(one: Tab, other: Tab): Promise<Way | 'unsettled'> {
  const [here, there] = await Promise.all([one.do('links'), other.do('links')])
  const [ours, theirs] = [connected(here), connected(there)]
  if (ours.length === 0 && theirs.length === 0) return 'node'
  if (ours.length === 0 || theirs.length === 0) return 'unsettled'
  const pairs = [...ours, ...theirs]
  // Only the end that asked the TURN server calls its own address a relay's; the other may have met it unannounced.
  if (pairs.some(({ local, remote }) => local.type === 'relay' || remote.type === 'relay')) return 'turn'
  // Each end knows its own address best: what comes unannounced from a LAN is `prflx` to the one who gets it.
  return pairs.every(({ local }) => local.type === 'host') ? 'host' : 'nat'
}

function connected(links: Link[]): NonNullable<Link['pair']>[] {
  return links.flatMap(({ pair }) => pair ?? [])
}
