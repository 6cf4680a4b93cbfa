import { ManualClock } from 'ghostchat/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Rates } from '../../src/gate/rates.ts'
import { Gaps } from '../../src/room/gaps.ts'
import { START } from '../../src/room/reconciler.ts'
import { Repair } from '../../src/room/repair.ts'
import { SyncServer } from '../../src/room/sync-server.ts'
import { Timeline } from '../../src/room/timeline.ts'
import { memoryStreams } from '../../src/testing/memory-stream.ts'
import type { EventId } from '../../src/wire/event-id.ts'
import { decodeSync } from '../../src/wire/sync.ts'
import { messageBy, NOW, testAuthor, testPeerId } from '../support/authors.ts'
import { ShiftedClock } from '../support/shifted-clock.ts'
import { askForAll } from '../support/sync.ts'
import { type VisitOptions, type Visitor, World } from '../support/world.ts'

const ada = testAuthor(1)
let world: World

beforeEach(() => {
  world = new World()
})
afterEach(() => world.close())

const visit = (options?: VisitOptions): Promise<Visitor> => world.visit(options)

describe('whose clock was set back', () => {
  it.each([true, false])('takes what comes by the same rates as before; from a carrier: %s', (isCarrier) => {
    const clock = new ShiftedClock(new ManualClock(NOW))
    const rates = new Rates({ clock, author: { burst: 100, perSecond: 10 } })
    const bring = (): boolean => rates.bring({ peerId: 'peer', isCarrier }, 'room', { events: 1, bytes: 500 })
    expect(bring()).toBe(true)
    clock.aheadMs = -3_600_000
    expect(bring()).toBe(true)
  })

  it('hears what is said', async () => {
    const ada = await visit()
    const clock = new ShiftedClock(world.clock)
    const bob = await visit({ clock })
    await world.pass(20_000)
    clock.aheadMs = -50_000
    await ada.chat.send('heard')
    await world.pass(5_000)
    expect(bob.texts()).toEqual(['heard'])
  })

  it('acknowledges what is said', async () => {
    const ada = await visit()
    const clock = new ShiftedClock(world.clock, 55_000)
    await visit({ clock })
    await world.pass(20_000)
    await ada.chat.send('one')
    await world.pass(5_000)
    clock.aheadMs = -5_000
    await world.pass(100)
    const message = await ada.chat.send('two')
    await world.pass(5_000)
    expect(message.status).toBe('acknowledged')
  })

  it('looks as soon as before for what is missing', async () => {
    const manual = new ManualClock(NOW)
    const clock = new ShiftedClock(manual)
    const timeline = new Timeline()
    const looks: number[] = []
    const look = async (): Promise<void> => void looks.push(manual.now())
    const gaps = new Gaps(timeline, () => ['a'])
    const repair = new Repair({ clock, logger: world.logger, gaps, look, isSaidMissing: () => false })
    const [lost, late] = [messageBy(ada, 'lost'), messageBy(ada, 'late')]
    const name = ({ id }: { id: EventId }): void =>
      repair.arrived(messageBy(ada, 'names it', { parents: [id] }), ['a'])
    name(lost)
    await manual.advance(20_000)
    clock.aheadMs = -3_600_000
    timeline.add(lost, clock.now())
    name(late)
    timeline.add(late, clock.now())
    await manual.advance(90_000)
    const now = manual.now()
    name(messageBy(ada, 'missing'))
    await manual.advance(1_500)
    expect(looks.at(-1)).toBe(now + 1_500)
  })

  it('compares with whoever compared before', async () => {
    const clock = new ShiftedClock(new ManualClock(NOW))
    const server = new SyncServer({
      clock,
      contents: () => ({ roster: [], timeline: [], floor: START }),
      admitAll: async () => ({ rejected: false }),
    })
    const ask = async (): Promise<(string | undefined)[]> => {
      const [here, there] = memoryStreams()
      void server.serve(there, testPeerId(1))
      await here.send(askForAll())
      await here.close()
      const kinds: (string | undefined)[] = []
      for await (const frame of here.frames) kinds.push(decodeSync(frame)?.kind)
      return kinds
    }
    expect(await ask()).toEqual(['turn'])
    clock.aheadMs = -3_600_000
    expect(await ask()).toEqual(['turn'])
  })

  it('leaves with a leave of now', async () => {
    const ada = await visit()
    const clock = new ShiftedClock(world.clock, 600_000)
    const bob = await visit({ clock })
    await world.pass(1_000)
    clock.aheadMs = 0
    await world.pass(40_000)
    expect(ada.chat.onlineUsers()).toContain(bob.did)
    await bob.chat.leaveChat()
    await world.pass(1_000)
    expect(ada.heard('user-left')).toEqual([['user-left', bob.did, 'left']])
  })
})
