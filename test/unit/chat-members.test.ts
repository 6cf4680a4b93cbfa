import { EdDSASigner } from 'did-jwt'
import type { JsonObject } from 'ghostchat'
import { MemoryNetwork, settle } from 'ghostchat/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { topicOf } from '../../src/wire/topic.ts'
import { NOW, testAuthor } from '../support/authors.ts'
import { codeOf, RawPeer, until, type VisitOptions, type Visitor, World } from '../support/world.ts'

const LOBBY = topicOf('dapp', 'lobby')
let world: World

beforeEach(() => {
  world = new World()
})
afterEach(() => world.close())

const visit = (options?: VisitOptions): Promise<Visitor> => world.visit(options)

describe('typing', () => {
  it('is told to the others, and ends with a message', async () => {
    const [ada, bob] = [await visit(), await visit()]
    ada.chat.typing.keystroke()
    await until(() => bob.heard('typing').length === 1)
    expect(bob.chat.typing.current()).toEqual([ada.did])
    expect(ada.chat.typing.current()).toEqual([])
    await ada.chat.send('hello')
    await until(() => bob.heard('typing').length === 2)
    expect(bob.heard('typing')).toEqual([
      ['typing', [ada.did]],
      ['typing', []],
    ])
    expect(ada.heard('typing')).toEqual([])
  })

  it('ends with a stop, by itself after 6 s, and with leaving', async () => {
    const [ada, bob] = [await visit(), await visit()]
    ada.chat.typing.keystroke()
    await until(() => bob.chat.typing.current().length === 1)
    ada.chat.typing.stop()
    await until(() => bob.chat.typing.current().length === 0)
    ada.chat.typing.keystroke()
    await until(() => bob.chat.typing.current().length === 1)
    await world.pass(6_100)
    expect(bob.chat.typing.current()).toEqual([])
    ada.chat.typing.keystroke()
    await until(() => bob.chat.typing.current().length === 1)
    await ada.chat.leaveChat()
    await until(() => bob.chat.typing.current().length === 0)
  })

  it('does not travel while nobody is there, nor after leaving', async () => {
    const ada = await visit()
    ada.chat.typing.keystroke()
    await settle()
    const witness = new RawPeer(world.network, LOBBY)
    await settle()
    expect(witness.typesBy(ada.did)).not.toContain('typing')
    await ada.chat.leaveChat()
    ada.chat.typing.keystroke()
    await settle()
    expect(witness.typesBy(ada.did)).not.toContain('typing')
    expect(world.clock.pending).toBe(0)
  })
})

describe('presence', () => {
  it('shows data, and a change of it as an update and nothing else', async () => {
    const ada = await visit({ presence: { name: 'Ada' } })
    const bob = await visit({ presence: { name: 'Bob' } })
    expect(ada.chat.members()).toEqual([
      { did: ada.did, presence: { name: 'Ada' }, devices: [ada.network.peerId] },
      { did: bob.did, presence: { name: 'Bob' }, devices: [bob.network.peerId] },
    ])
    const before = bob.told.length
    await ada.chat.presence.update({ name: 'Countess', mood: ['fine'] })
    await until(() => bob.heard('user-updated').length === 1)
    expect(bob.told.slice(before)).toEqual([['user-updated', ada.did]])
    expect(bob.chat.members()[1]?.presence).toEqual({ name: 'Countess', mood: ['fine'] })
    expect(ada.chat.members()[0]?.presence).toEqual({ name: 'Countess', mood: ['fine'] })
    expect(ada.heard('user-updated')).toEqual([])
  })

  const nested = (deep: number): object => (deep === 0 ? {} : { in: nested(deep - 1) })

  it('may be nested 8 deep', async () => {
    const [ada, bob] = [await visit(), await visit()]
    await ada.chat.presence.update(nested(7) as JsonObject)
    await until(() => bob.heard('user-updated').length === 1)
    expect(bob.chat.members()[1]?.presence).toEqual(nested(7))
  })

  it.each([[null], [[]], ['name'], [{ at: undefined }], [{ name: 'x'.repeat(1_024) }], [nested(8)]])(
    'cannot be %j',
    async (data) => {
      const ada = await visit()
      expect(await codeOf(() => ada.chat.presence.update(data as never))).toBe('invalid-presence')
      expect(ada.chat.members()[0]?.presence).toEqual({})
    },
  )
})

describe('the own user', () => {
  it('is the first one in the list, also when it ran out and is back after others', async () => {
    const author = testAuthor(6)
    const sign = EdDSASigner(author.seed)
    let isLocked = false
    const signer = async (data: string | Uint8Array) =>
      isLocked ? Promise.reject(new Error('locked')) : sign(data)
    const ada = await visit({ identity: { did: author.did, signer } })
    const bob = await visit()
    expect(bob.chat.onlineUsers()).toEqual([bob.did, ada.did])
    isLocked = true
    await world.pass(95_000)
    expect(bob.chat.onlineUsers()).toEqual([bob.did])
    isLocked = false
    await world.pass(30_000)
    expect(ada.chat.members().map(({ did }) => did)).toEqual([ada.did, bob.did])
    expect(ada.chat.onlineUsers()).toEqual([ada.did, bob.did])
  })
})

describe('members who go', () => {
  it('by leaving are gone at once, for everybody', async () => {
    const [ada, bob, carol] = [await visit(), await visit(), await visit()]
    await bob.space.close()
    await until(() => ada.heard('user-left').length === 1 && carol.heard('user-left').length === 1)
    expect(ada.heard('user-left')).toEqual([['user-left', bob.did, 'left']])
  })

  it('by crashing are lost after the grace of 10 s', async () => {
    const [ada, bob, carol] = [await visit(), await visit(), await visit()]
    world.network.partition([[bob.network.peerId]])
    await world.pass(9_999)
    expect(ada.heard('user-left')).toEqual([])
    await world.pass(1)
    expect(ada.heard('user-left')).toEqual([['user-left', bob.did, 'lost']])
    expect(carol.heard('user-left')).toEqual([['user-left', bob.did, 'lost']])
    expect(ada.chat.onlineUsers()).toEqual([ada.did, carol.did])
  })

  it('by falling silent time out after 90 s', async () => {
    const ada = await visit()
    const witness = new RawPeer(world.network, LOBBY)
    const ghost = testAuthor(7)
    const { eventBy } = await import('../support/authors.ts')
    const at = world.clock.now()
    const { jwt } = eventBy(ghost, 'join', { peer: witness.peerId, data: {} }, { topic: LOBBY, at })
    await witness.publish(jwt)
    await until(() => ada.heard('user-joined').length === 1)
    await world.pass(89_999)
    expect(ada.heard('user-left')).toEqual([])
    await world.pass(1)
    expect(ada.heard('user-left')).toEqual([['user-left', ghost.did, 'timeout']])
  })

  it('and come back within the grace leave no trace: one alone', async () => {
    const [ada, bob, carol] = [await visit(), await visit(), await visit()]
    world.network.partition([[bob.network.peerId]])
    await world.pass(5_000)
    world.network.heal()
    await world.pass(60_000)
    for (const visitor of [ada, bob, carol]) {
      expect(visitor.heard('user-left')).toEqual([])
      expect(visitor.heard('user-joined')).toHaveLength(2)
    }
  })

  it('and come back within the grace leave no trace: one half', async () => {
    const visitors = [await visit(), await visit(), await visit(), await visit()]
    const [a, b] = visitors.map(({ network }) => network.peerId)
    await world.pass(1_000)
    world.network.partition([[a ?? '', b ?? '']])
    await world.pass(5_000)
    world.network.heal()
    await world.pass(60_000)
    expect(visitors.flatMap((visitor) => visitor.heard('user-left'))).toEqual([])
  })

  it('and come back later are announced anew', async () => {
    const [ada, bob] = [await visit(), await visit()]
    world.network.partition([[bob.network.peerId]])
    await world.pass(20_000)
    world.network.heal()
    await world.pass(10)
    expect(ada.heard('user-joined')).toEqual([
      ['user-joined', bob.did],
      ['user-joined', bob.did],
    ])
    expect(ada.chat.onlineUsers()).toEqual([ada.did, bob.did])
  })

  it('by their will, though they are still there, are back at once', async () => {
    const peer = world.network.peer()
    const wills: string[] = []
    const network = {
      peerId: peer.peerId,
      close: () => peer.close(),
      join: (...args: Parameters<typeof peer.join>) =>
        Object.assign(peer.join(...args), { entrust: async (jwt: string) => void wills.push(jwt) }),
    }
    const ada = await visit()
    const bob = await visit({ network })
    await until(() => wills.length > 0)
    // One of two nodes lost its connection to Bob, and publishes what he left with it.
    const node = new RawPeer(world.network, LOBBY)
    await node.publish(wills.at(-1) ?? '')
    await world.pass(1_000)
    expect(bob.chat.status.current).toBe('connected')
    expect(ada.chat.onlineUsers()).toEqual([ada.did, bob.did])
    expect(bob.chat.onlineUsers()).toEqual([bob.did, ada.did])
  })
})

describe('two devices of one DID', () => {
  const seed = new Uint8Array(32).fill(5)

  it('are one user, who stays until the second goes', async () => {
    const watcher = await visit()
    const phone = await visit({ identity: { seed }, presence: { on: 'phone' } })
    const desk = await visit({ identity: { seed }, presence: { on: 'desk' } })
    expect(phone.did).toBe(desk.did)
    expect(watcher.heard('user-joined')).toEqual([['user-joined', phone.did]])
    expect(watcher.chat.members()[1]?.devices).toHaveLength(2)
    await phone.space.close()
    await settle()
    expect(watcher.heard('user-left')).toEqual([])
    expect(watcher.chat.onlineUsers()).toEqual([watcher.did, desk.did])
    expect(watcher.chat.members()[1]?.devices).toEqual([desk.network.peerId])
    await desk.space.close()
    await until(() => watcher.heard('user-left').length === 1)
  })

  it('see the messages of each other, and not each other as users', async () => {
    const phone = await visit({ identity: { seed } })
    const desk = await visit({ identity: { seed } })
    await phone.chat.send('from the phone')
    await until(() => desk.texts().length === 1)
    expect(desk.heard('message')).toEqual([['message', desk.did, 'from the phone']])
    expect([...phone.heard('user-joined'), ...desk.heard('user-joined')]).toEqual([])
    expect(desk.chat.onlineUsers()).toEqual([desk.did])
  })

  it('type apart: the own typing on the other device is not told', async () => {
    const phone = await visit({ identity: { seed } })
    const desk = await visit({ identity: { seed } })
    phone.chat.typing.keystroke()
    await settle()
    expect(desk.heard('typing')).toEqual([])
  })
})

describe('clocks that differ', () => {
  it('by up to a minute harm nobody', async () => {
    const ahead = { now: () => world.clock.now() + 59_000, after: world.clock.after.bind(world.clock) }
    const ada = await visit()
    const bob = await visit({ clock: ahead })
    await ada.chat.send('hello')
    await bob.chat.send('hi')
    await until(() => ada.texts().length === 2 && bob.texts().length === 2)
    expect(ada.chat.onlineUsers()).toEqual([ada.did, bob.did])
  })

  it('a machine that slept for a day tells that its message failed', async () => {
    let slept = 0
    const clock = { now: () => world.clock.now() + slept, after: world.clock.after.bind(world.clock) }
    const ada = await visit({ clock })
    const old = await ada.chat.send('yesterday')
    slept = 24 * 3_600_000 + 1
    const young = await ada.chat.send('today')
    expect([old.status, young.status]).toEqual(['failed', 'queued'])
    expect(ada.heard('message-updated')).toEqual([['message-updated', 'yesterday', 'failed']])
  })

  it('that never fits: the time of an event is the time of its author', async () => {
    const ada = await visit()
    expect((await ada.chat.send('hello')).timestamp).toBeGreaterThanOrEqual(NOW)
    expect(new MemoryNetwork().peer().peerId).toMatch(/^12D3KooW/)
  })
})
