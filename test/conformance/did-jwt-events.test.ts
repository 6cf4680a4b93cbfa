import { verifyJWT } from 'did-jwt'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { topicOf } from '../../src/wire/topic.ts'
import { verifyOptions } from '../support/did-key-resolver.ts'
import { claimsIn, RawPeer, until, World } from '../support/world.ts'

const LOBBY = topicOf('dapp', 'lobby')
let world: World

beforeEach(() => {
  world = new World()
})
afterEach(() => world.close())

describe('every event that a room emits', () => {
  it('verifies under did-jwt with the audience set, and under no other audience', async () => {
    const witness = new RawPeer(world.network, LOBBY)
    const ada = await world.visit({ presence: { name: 'Ada' } })
    const bob = await world.visit({ identity: { seed: new Uint8Array(32).fill(3) } })
    const hello = await ada.chat.send('hello — 你好 🦊')
    await until(() => bob.texts().length === 1)
    await bob.chat.reply(hello.id, 'an answer')
    await ada.chat.edit(hello, 'hello — 你好 🦊, everybody')
    await bob.chat.react(hello.id, '👩🏻‍❤️‍💋‍👩🏼')
    await bob.chat.unreact(hello.id, '👩🏻‍❤️‍💋‍👩🏼')
    await ada.chat.delete(hello)
    ada.chat.typing.keystroke()
    ada.chat.typing.stop()
    await ada.chat.presence.update({ name: 'Countess' })
    await world.pass(31_000)
    await bob.chat.leaveChat()
    await until(() =>
      ['join', 'presence', 'leave', 'message', 'edit', 'delete', 'reaction', 'typing'].every((type) =>
        seen(witness).has(type),
      ),
    )

    for (const jwt of witness.jwts) {
      const verified = await verifyJWT(jwt, verifyOptions(LOBBY, world.clock.now()))
      expect(verified.verified).toBe(true)
      expect(verified.payload).toEqual(claimsIn(jwt))
      expect([ada.did, bob.did]).toContain(verified.issuer)
      const other = verifyJWT(jwt, verifyOptions(topicOf('dapp', 'other'), world.clock.now()))
      await expect(other).rejects.toThrow('audience')
    }
    expect(witness.jwts.filter((jwt) => 'replyTo' in claimsIn(jwt))).toHaveLength(1)
  })

  it('and every message hands out the JWT that did', async () => {
    const ada = await world.visit()
    const message = await ada.chat.send('hello')
    const { payload } = await verifyJWT(message.jwt, verifyOptions(LOBBY, world.clock.now()))
    expect(payload).toMatchObject({ iss: ada.did, aud: LOBBY, type: 'message', text: 'hello' })
  })
})

function seen(witness: RawPeer): Set<string> {
  return new Set(witness.jwts.map((jwt) => claimsIn(jwt).type))
}
