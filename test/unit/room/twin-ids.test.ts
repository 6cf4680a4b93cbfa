import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { isEventId } from '../../../src/wire/event-id.ts'
import { topicOf } from '../../../src/wire/topic.ts'
import { messageBy, testAuthor } from '../../support/authors.ts'
import { lastTurn } from '../../support/sync.ts'
import { answering, RawPeer, World } from '../../support/world.ts'

const twins = vi.hoisted(() => ({ first: '', second: '' }))

vi.mock('../../../src/wire/event-id.ts', async (original) => {
  const real = await original<typeof import('../../../src/wire/event-id.ts')>()
  const eventId = (jwt: string): string => {
    const id = real.eventId(jwt)
    return jwt === twins.second ? id.slice(0, 8) + real.eventId(twins.first).slice(8, 20) + id.slice(20) : id
  }
  return { ...real, eventId }
})

const LOBBY = topicOf('dapp', 'lobby')
const mallory = testAuthor(66)
let world: World

beforeEach(() => {
  world = new World()
})
afterEach(() => world.close())

it('two events of one author, made to look alike in 60 bits, reach everybody', async () => {
  const [ada, bob] = [await world.visit(), await world.visit()]
  await world.pass(10_000)
  const peer = new RawPeer(world.network, LOBBY, answering(lastTurn()))
  const at = world.clock.now()
  twins.first = messageBy(mallory, 'yes', { topic: LOBBY, at }).jwt
  const second = messageBy(mallory, 'no', { topic: LOBBY, at: at + 1 })
  twins.second = second.jwt
  expect(isEventId(second.id)).toBe(true)

  world.network.partition([[bob.network.peerId]])
  await peer.publish(twins.first)
  world.network.heal()
  world.network.partition([[ada.network.peerId]])
  await peer.publish(twins.second)
  world.network.heal()
  await world.pass(5_000)
  for (const visitor of [ada, bob]) await visitor.chat.send('seen')
  for (let minutes = 0; minutes < 15; minutes += 1) await world.pass(60_000)

  const all = ['no', 'seen', 'seen', 'yes']
  const came = [ada, bob].map((visitor) => ({
    texts: visitor.texts().sort(),
    complete: visitor.heard('recovered').at(-1)?.[1],
  }))
  expect(came).toEqual([
    { texts: all, complete: true },
    { texts: all, complete: true },
  ])
})
