import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EdDSASigner } from 'did-jwt'
import { openSpace } from 'ghostchat'
import { MemoryNetwork, settle } from 'ghostchat/testing'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { testAuthor } from '../support/authors.ts'
import { codeOf, enter, settles, until, World } from '../support/world.ts'

const seed = new Uint8Array(32).fill(9)
const elsewhere = { did: testAuthor(2).did, signer: EdDSASigner(testAuthor(2).seed) }
let world: World

beforeEach(() => {
  world = new World()
})
afterEach(() => world.close())

const open = (name: unknown, options: object = {}): ReturnType<typeof openSpace> =>
  openSpace(name as string, {
    network: world.network.peer(),
    clock: world.clock,
    identity: 'ephemeral',
    ...options,
  })

describe('openSpace', () => {
  it.each([
    ['no name', '', {}, 'invalid-name'],
    ['a name that is no text', 7, {}, 'invalid-name'],
    ['a name with a lone surrogate', '\ud800', {}, 'invalid-name'],
    ['too long a name', 'x'.repeat(244), {}, 'invalid-name'],
    ['an unknown identity', 'dapp', { identity: 'wallet' }, 'invalid-identity'],
    ['a short seed', 'dapp', { identity: { seed: new Uint8Array(31) } }, 'invalid-identity'],
    ['nodes that are no list', 'dapp', { nodes: 'https://node.example' }, 'invalid-option'],
    ['a node that is no address', 'dapp', { nodes: ['node.example'], network: undefined }, 'invalid-node'],
    [
      'a node without a peer id',
      'dapp',
      { nodes: ['/ip4/127.0.0.1/tcp/1/ws'], network: undefined },
      'invalid-node',
    ],
    ['a libp2p node that is none', 'dapp', { libp2p: {}, network: undefined }, 'invalid-option'],
  ])('refuses %s', async (_what, name, options, code) => {
    expect(await codeOf(() => open(name, options))).toBe(code)
  })

  it('takes a name of 243 characters', async () => {
    const space = await open('x'.repeat(243))
    expect(space.name).toHaveLength(243)
    await space.close()
  })

  it('rejects with the reason of its signal', async () => {
    const reason = new Error('never mind')
    expect(await codeOf(() => open('dapp', { signal: AbortSignal.abort(reason) }))).toBe(reason)
    const controller = new AbortController()
    const opening = open('dapp', { signal: controller.signal, identity: elsewhere })
    controller.abort(reason)
    expect(await codeOf(() => opening)).toBe(reason)
    // The DID is free again.
    await (await open('other', { identity: elsewhere })).close()
  })

  it('is given up also while the signer says nothing', async () => {
    const controller = new AbortController()
    const reason = new Error('never mind')
    const signer = (): Promise<string> => new Promise(() => {})
    const opening = open('dapp', { signal: controller.signal, identity: { did: testAuthor(1).did, signer } })
    controller.abort(reason)
    expect(await settles(opening)).toBe(true)
    expect(await codeOf(() => opening)).toBe(reason)
  })
})

describe('the stored identity, which is the default', () => {
  let home: string

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'ghostchat-home-'))
    vi.stubEnv('GHOSTCHAT_HOME', home)
  })
  afterEach(async () => {
    vi.unstubAllEnvs()
    await rm(home, { recursive: true, force: true })
  })

  it('is the same at the next visit, another in another space', async () => {
    const dids: string[] = []
    for (const name of ['dapp', 'dapp', 'other']) {
      const space = await open(name, { identity: undefined })
      dids.push(space.did)
      await space.close()
    }
    expect(dids[1]).toBe(dids[0])
    expect(dids[2]).not.toBe(dids[0])
  })

  it('cannot be opened where its key cannot be kept', async () => {
    await writeFile(join(home, 'keys'), 'a file where the directory should be')
    expect(await codeOf(() => open('dapp', { identity: 'stored' }))).toBe('key-store-failed')
  })
})

describe('one DID', () => {
  const identity = { did: testAuthor(3).did, signer: EdDSASigner(testAuthor(3).seed) }

  it('is not open in two spaces at once', async () => {
    const space = await open('dapp', { identity })
    expect(await codeOf(() => open('other', { identity }))).toBe('identity-reused')
    await space.close()
    const other = await open('other', { identity })
    expect(other.did).toBe(space.did)
    await other.close()
  })

  it('may be open twice in one space, and is taken until the second closes', async () => {
    const [first, second] = await Promise.all([open('dapp', { identity }), open('dapp', { identity })])
    await Promise.all([first.close(), first.close()])
    expect(await codeOf(() => open('other', { identity }))).toBe('identity-reused')
    await second.close()
    await (await open('other', { identity })).close()
  })

  it('is not taken by a space that did not open', async () => {
    expect(await codeOf(() => open('dapp', { identity, nodes: ['x'], network: undefined }))).toBe(
      'invalid-node',
    )
    await (await open('other', { identity })).close()
  })

  it('of a seed is the same in a space, another in another', async () => {
    const spaces = await Promise.all([
      open('dapp', { identity: { seed } }),
      open('other', { identity: { seed } }),
    ])
    expect(spaces[0].did).not.toBe(spaces[1].did)
    await Promise.all(spaces.map((space) => space.close()))
    const again = await open('dapp', { identity: { seed } })
    expect(again.did).toBe(spaces[0].did)
    await again.close()
  })
})

describe('joinChat', () => {
  it.each([
    ['no name', '', {}, 'invalid-name'],
    ['a name that is no text', null, {}, 'invalid-name'],
    ['too long a name', 'x'.repeat(250), {}, 'invalid-name'],
    ['presence that is null', 'lobby', { presence: null }, 'invalid-presence'],
    ['presence that is a list', 'lobby', { presence: [] }, 'invalid-presence'],
    ['presence of over 1,024 bytes', 'lobby', { presence: { a: 'é'.repeat(512) } }, 'invalid-presence'],
    [
      'presence with __proto__',
      'lobby',
      { presence: JSON.parse('{"__proto__":1}') as object },
      'invalid-presence',
    ],
    ['a negative backlog', 'lobby', { backlogLimit: -1 }, 'invalid-option'],
    ['a backlog over 100', 'lobby', { backlogLimit: 101 }, 'invalid-option'],
    ['half a backlog', 'lobby', { backlogLimit: 0.5 }, 'invalid-option'],
  ])('refuses %s, and can be asked again', async (_what, room, options, code) => {
    const { space } = await world.space()
    expect(await codeOf(() => space.joinChat(room as string, options as object))).toBe(code)
    expect((await space.joinChat('lobby')).status.current).toBe('connecting')
  })

  it('twice is the same chat', async () => {
    const { space } = await world.space()
    const [first, second] = await Promise.all([space.joinChat('lobby'), space.joinChat('lobby')])
    expect(second).toBe(first)
    expect(await space.joinChat('lobby')).toBe(first)
    expect(await space.joinChat('Lobby')).not.toBe(first)
  })

  it('twice is a chat with the options of the first time', async () => {
    const { space } = await world.space()
    const chat = await space.joinChat('lobby', { presence: { name: 'first' } })
    const texts: string[] = []
    chat.on('message', (_did, { text }) => texts.push(text))
    await space.joinChat('lobby', { presence: { name: 'second' }, filters: [() => false], backlogLimit: 0 })
    await chat.send('shown')
    await settle()
    expect(chat.members()).toMatchObject([{ presence: { name: 'first' } }])
    expect(texts).toEqual(['shown'])
  })

  it('after leaving is a new chat, alive', async () => {
    const ada = await world.visit()
    const { space, network } = await world.space()
    const before = await enter(space, network)
    await world.pass(100)
    await before.chat.leaveChat()
    await world.pass(2_000)
    const after = await enter(space, network)
    await world.pass(100)
    expect(after.chat).not.toBe(before.chat)
    expect(ada.heard('user-joined')).toHaveLength(2)
    await ada.chat.send('hello again')
    await until(() => after.texts().length === 1)
    await after.chat.send('hello yourself')
    await until(() => ada.texts().length === 2)
    expect(before.texts()).toEqual([])
    expect(ada.chat.onlineUsers()).toEqual([ada.did, space.did])
  })

  it('at once after leaving, within the same millisecond, is seen by the others', async () => {
    const ada = await world.visit()
    const { space, network } = await world.space()
    const before = await enter(space, network)
    await until(() => ada.heard('user-joined').length === 1)
    void before.chat.leaveChat()
    const after = await enter(space, network)
    await until(() => after.chat.status.current === 'connected')
    await settle()
    expect(after.chat).not.toBe(before.chat)
    expect(ada.chat.onlineUsers()).toEqual([ada.did, space.did])
    expect(after.chat.onlineUsers()).toContain(space.did)
  })

  it('that fails to sign leaves nothing behind', async () => {
    const author = testAuthor(4)
    const sign = EdDSASigner(author.seed)
    let broken = false
    const signer = async (data: string | Uint8Array) =>
      broken ? Promise.reject(new Error('locked')) : sign(data)
    const { space } = await world.space({ identity: { did: author.did, signer } })
    broken = true
    expect(await codeOf(() => space.joinChat('lobby'))).toBe('signing-failed')
    expect(world.clock.pending).toBe(0)
    broken = false
    expect((await space.joinChat('lobby')).onlineUsers()).toEqual([author.did])
  })

  it('rejects with the reason of its signal, and leaves', async () => {
    const { space } = await world.space()
    const reason = new Error('never mind')
    expect(await codeOf(() => space.joinChat('lobby', { signal: AbortSignal.abort(reason) }))).toBe(reason)
    const controller = new AbortController()
    const joining = space.joinChat('lobby', { signal: controller.signal })
    controller.abort(reason)
    expect(await codeOf(() => joining)).toBe(reason)
    expect(world.clock.pending).toBe(0)
    expect((await space.joinChat('lobby')).status.current).toBe('connecting')
  })

  it('is given up also while the signer says nothing', async () => {
    const author = testAuthor(5)
    const sign = EdDSASigner(author.seed)
    let silent = false
    const signer = async (data: string | Uint8Array): Promise<string> =>
      silent ? new Promise(() => {}) : ((await sign(data)) as string)
    const space = await open('dapp', { identity: { did: author.did, signer } })
    silent = true
    const controller = new AbortController()
    const joining = space.joinChat('lobby', { signal: controller.signal })
    joining.catch(() => {})
    await settle()
    controller.abort(new Error('never mind'))
    expect(await settles(joining)).toBe(true)
  })

  it('given up by one does not take the chat from another', async () => {
    const { space } = await world.space()
    const controller = new AbortController()
    const given = space.joinChat('lobby', { signal: controller.signal })
    const wanted = space.joinChat('lobby')
    controller.abort(new Error('never mind'))
    await given.catch(() => {})
    const chat = await wanted
    expect(chat.status.current).toBe('connecting')
    await chat.send('alive')
    expect(await space.joinChat('lobby')).toBe(chat)
  })
})

describe('diagnose', () => {
  it('is not for a network of another kind, nor a space that was closed', async () => {
    const { space } = await world.space()
    expect(await codeOf(() => space.diagnose())).toBe('invalid-option')
    await space.close()
    expect(await codeOf(() => space.diagnose())).toBe('space-closed')
  })

  it('rejects with the reason of its signal, and takes nothing else for one', async () => {
    const { space } = await world.space()
    const reason = new Error('never mind')
    expect(await codeOf(() => space.diagnose({ signal: AbortSignal.abort(reason) }))).toBe(reason)
    for (const options of [null, 5, { signal: {} }, { signal: null }]) {
      expect(await codeOf(() => space.diagnose(options as object))).toBe('invalid-option')
    }
  })
})

describe('rooms of one space', () => {
  it('know nothing of each other', async () => {
    const { space: a, network: networkA } = await world.space()
    const { space: b, network: networkB } = await world.space()
    const [lobbyA, tearoomA] = [await enter(a, networkA), await enter(a, networkA, { room: 'tearoom' })]
    const [lobbyB, tearoomB] = [await enter(b, networkB), await enter(b, networkB, { room: 'tearoom' })]
    await world.pass(100)
    await lobbyA.chat.send('in the lobby')
    await tearoomB.chat.send('in the tearoom')
    await until(() => lobbyB.texts().length === 1 && tearoomA.texts().length === 1)
    expect([lobbyB.texts(), tearoomA.texts()]).toEqual([['in the lobby'], ['in the tearoom']])
    await lobbyA.chat.leaveChat()
    await until(() => lobbyB.heard('user-left').length === 1)
    await tearoomA.chat.send('still here')
    await until(() => tearoomB.texts().length === 2)
    expect(tearoomB.heard('user-left')).toEqual([])
    expect(tearoomB.chat.onlineUsers()).toEqual([b.did, a.did])
  })

  it('of the same name in another space are other rooms', async () => {
    const ada = await world.visit({ name: 'dapp' })
    const bob = await world.visit({ name: 'dapp2' })
    await ada.chat.send('hello')
    await world.pass(5_000)
    expect(bob.texts()).toEqual([])
    expect(bob.chat.onlineUsers()).toEqual([bob.did])
  })
})

describe('closing', () => {
  it('leaves all rooms, once, and leaves no timer', async () => {
    const ada = await world.visit()
    const { space, network } = await world.space()
    const [lobby, tearoom] = [await enter(space, network), await enter(space, network, { room: 'tearoom' })]
    await until(() => ada.heard('user-joined').length === 1)
    await Promise.all([space.close(), space.close(), space[Symbol.asyncDispose]()])
    await until(() => ada.heard('user-left').length === 1)
    expect([lobby, tearoom].map(({ chat }) => chat.status.current)).toEqual(['closed', 'closed'])
    await ada.space.close()
    expect(world.clock.pending).toBe(0)
  })

  it('is what `await using` does, of a chat and of a space', async () => {
    const { space, network } = await world.space()
    const lobby = await enter(space, network)
    {
      await using _used = lobby.chat
    }
    expect(lobby.heard('status')).toEqual([['status', 'closed']])
    const tearoom = await enter(space, network, { room: 'tearoom' })
    {
      await using _used = space
    }
    expect(tearoom.heard('status')).toEqual([['status', 'closed']])
    expect(await codeOf(() => space.joinChat('lobby'))).toBe('space-closed')
    expect(world.clock.pending).toBe(0)
  })

  it('makes joinChat throw space-closed and a chat throw chat-left', async () => {
    const ada = await world.visit()
    await ada.space.close()
    expect(await codeOf(() => ada.space.joinChat('lobby'))).toBe('space-closed')
    expect(await codeOf(() => ada.chat.send('hello'))).toBe('chat-left')
  })

  it('while a room is being joined ends in a closed room or none', async () => {
    const { space } = await world.space()
    const joining = space.joinChat('lobby').catch(() => undefined)
    await space.close()
    expect((await joining)?.status.current ?? 'closed').toBe('closed')
    expect(world.clock.pending).toBe(0)
  })

  it('never rejects, also when the network does', async () => {
    const peer = new MemoryNetwork().peer()
    const network = {
      peerId: peer.peerId,
      join: peer.join.bind(peer),
      close: async () => Promise.reject(new Error('cable')),
    }
    const { space } = await world.space({ network })
    await space.joinChat('lobby')
    await expect(space.close()).resolves.toBeUndefined()
  })
})
