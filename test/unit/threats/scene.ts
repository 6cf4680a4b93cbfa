import { settle } from 'ghostchat/testing'
import { afterEach, beforeEach, expect } from 'vitest'
import type { FrameStream } from '../../../src/network/network.ts'
import { topicOf } from '../../../src/wire/topic.ts'
import { type EventOptions, eventBy, type TestAuthor, testAuthor } from '../../support/authors.ts'
import { eventsFrame, lastTurn } from '../../support/sync.ts'
import { enter, RawPeer, type Visitor, World } from '../../support/world.ts'

export const LOBBY = topicOf('dapp', 'lobby')
export const mallory = testAuthor(66)
export const victim = testAuthor(1)
/** A world of its own for each test, of a file that called {@link setTheScene}. */
export let world: World
let unhandled: unknown[]
const onUnhandled = (reason: unknown): void => void unhandled.push(reason)

/** Makes a world before each test; after it, nothing may have been left unhandled. */
export function setTheScene(): void {
  beforeEach(() => {
    world = new World()
    unhandled = []
    process.on('unhandledRejection', onUnhandled)
  })
  afterEach(async () => {
    await world.close()
    await settle()
    process.off('unhandledRejection', onUnhandled)
    expect(unhandled).toEqual([])
  })
}

/** Options of an event in the lobby, of now unless told. */
export const inLobby = (options: EventOptions = {}): EventOptions => ({
  topic: LOBBY,
  at: world.clock.now(),
  ...options,
})

/** A peer that says of itself that it is in the lobby, and answers backlog streams as it likes. */
export async function liar(
  serve: (stream: FrameStream) => void,
  author: TestAuthor = mallory,
): Promise<RawPeer> {
  const peer = new RawPeer(world.network, LOBBY, serve)
  const renew = (): string => eventBy(author, 'presence', { peer: peer.peerId, data: {} }, inLobby()).jwt
  await peer.publish(renew())
  return peer
}

/** Somebody new in the lobby, who met the liar. */
export async function newcomer(peer: RawPeer, author: TestAuthor = mallory): Promise<Visitor> {
  const { space, network } = await world.space()
  const visitor = await enter(space, network)
  await settle()
  const { jwt } = eventBy(
    author,
    'presence',
    { peer: peer.peerId, data: {} },
    inLobby({ at: world.clock.now() + 1 }),
  )
  await peer.publish(jwt)
  await world.pass(1_000)
  return visitor
}

export const events = eventsFrame
export const done = lastTurn()
