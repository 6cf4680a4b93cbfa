import { GhostChatError, openSpace } from 'ghostchat'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Logger, silentLogger } from '../../src/logger.ts'
import { createGhostNode } from '../../src/node/index.ts'
import { type Visitor, World } from '../support/world.ts'

/** Options as somebody gives them who has no TypeScript. */
const wrong = <T>(value: unknown): T => value as T

/** The code of the GhostChatError that `act` throws or rejects with. */
async function refusal(act: () => unknown): Promise<unknown> {
  const thrown = await Promise.resolve()
    .then(act)
    .then(
      () => 'nothing was thrown',
      (reason: unknown) => reason,
    )
  return thrown instanceof GhostChatError ? thrown.code : thrown
}

describe('openSpace', () => {
  it.each([[null], [5], ['options'], [[]]])('refuses %j as options', async (options) => {
    expect(await refusal(() => openSpace('dapp', wrong(options)))).toBe('invalid-option')
  })

  it.each([
    ['signal', {}],
    ['signal', null],
    ['logger', 5],
    ['logger', { debug() {} }],
    ['clock', {}],
    ['clock', null],
    ['random', {}],
    ['network', null],
    ['network', {}],
    ['nodes', 'https://node.example'],
    ['nodes', 5],
    ['libp2p', 5],
    ['libp2p', null],
  ])('refuses %s: %j', async (name, value) => {
    const options = { identity: 'ephemeral', logger: silentLogger, [name]: value }
    expect(await refusal(() => openSpace('dapp', wrong(options)))).toBe('invalid-option')
  })

  it.each([null, 5, '', 'anonymous', {}, { seed: 5 }, { did: 'did:key:z', signer: 5 }])(
    'refuses %j as identity',
    async (identity) => {
      expect(await refusal(() => openSpace('dapp', { identity: wrong(identity) }))).toBe('invalid-identity')
    },
  )

  it.each(['http://user:pw@host', 'https://user@host', 'https://:pw@host', 'ftp://host', '', 5, null])(
    'refuses the node %j',
    async (node) => {
      const options = { identity: 'ephemeral' as const, logger: silentLogger, nodes: [wrong<string>(node)] }
      expect(await refusal(() => openSpace('dapp', options))).toBe('invalid-node')
    },
  )
})

describe('in a room', () => {
  let world: World
  let ada: Visitor

  beforeEach(async () => {
    world = new World()
    ada = await world.visit()
  })
  afterEach(() => world.close())

  describe('joinChat', () => {
    it.each([[null], [5], ['options'], [[]]])('refuses %j as options', async (options) => {
      expect(await refusal(() => ada.space.joinChat('tearoom', wrong(options)))).toBe('invalid-option')
    })

    it.each([
      ['signal', {}],
      ['signal', null],
      ['filters', 5],
      ['filters', [5]],
      ['filters', null],
      ['filters', [() => true, 'spam']],
      ['backlogLimit', '5'],
      ['backlogLimit', null],
    ])('refuses %s: %j, and leaves nothing behind', async (name, value) => {
      const pending = world.clock.pending
      expect(await refusal(() => ada.space.joinChat('tearoom', wrong({ [name]: value })))).toBe(
        'invalid-option',
      )
      expect(world.clock.pending).toBe(pending)
      expect((await ada.space.joinChat('tearoom')).name).toBe('tearoom')
    })

    it('refuses presence that throws when it is read', async () => {
      const presence = {
        get name(): string {
          throw new Error('my getter')
        },
      }
      expect(await refusal(() => ada.space.joinChat('tearoom', { presence }))).toBe('invalid-presence')
      expect(await refusal(() => ada.chat.presence.update(presence))).toBe('invalid-presence')
      expect(await refusal(() => ada.chat.presence.update({ name: 'Ada' }))).toBe('nothing was thrown')
    })
  })

  describe('a chat', () => {
    it.each([
      ['requestBacklog(null)', () => ada.chat.requestBacklog(wrong(null))],
      ['requestBacklog(5)', () => ada.chat.requestBacklog(wrong(5))],
      ['requestBacklog({ before: 5 })', () => ada.chat.requestBacklog({ before: wrong(5) })],
      ['requestBacklog({ before: {} })', () => ada.chat.requestBacklog({ before: wrong({}) })],
      ['requestBacklog({ before: null })', () => ada.chat.requestBacklog({ before: wrong(null) })],
      ['requestBacklog({ signal: {} })', () => ada.chat.requestBacklog({ signal: wrong({}) })],
      ['messages(null)', () => ada.chat.messages(wrong(null))],
      ['messages({ signal: {} })', () => ada.chat.messages({ signal: wrong({}) })],
      ['addFilter(5)', () => ada.chat.addFilter(wrong(5))],
      ['addFilter()', () => ada.chat.addFilter(wrong(undefined))],
      ['mute(5)', () => ada.chat.mute(wrong(5))],
    ])('refuses %s', async (_what, act) => {
      expect(await refusal(act)).toBe('invalid-option')
      expect((await ada.chat.send('alive')).text).toBe('alive')
    })
  })
})

describe('createGhostNode', () => {
  it.each([null, 5, 'options'])('refuses %j as options', async (options) => {
    expect(await refusal(() => createGhostNode(wrong(options)))).toBe('invalid-option')
  })

  it.each(['node.example', 'ftp://node.example', '/ip4/192.0.2.1/tcp/1/ws', '', 5, null])(
    'refuses %j among its peers',
    async (peer) => {
      const options = { host: '127.0.0.1', port: 0, logger: silentLogger, peers: [wrong<string>(peer)] }
      expect(await refusal(() => createGhostNode(options))).toBe('invalid-node')
    },
  )

  it.each([5, null, {}, { debug() {} }])('refuses %j as logger', async (logger) => {
    const options = { host: '127.0.0.1', port: 0, logger: wrong<Logger>(logger) }
    expect(await refusal(() => createGhostNode(options))).toBe('invalid-option')
  })
})
