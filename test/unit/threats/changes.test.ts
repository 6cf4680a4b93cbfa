import { describe, expect, it } from 'vitest'
import { eventId } from '../../../src/wire/event-id.ts'
import { claimsBy, eventBy, messageBy, signClaims } from '../../support/authors.ts'
import { askForNewest } from '../../support/sync.ts'
import { answering, backlogOf, RawPeer, textsOf } from '../../support/world.ts'
import { done, events, inLobby, LOBBY, liar, mallory, newcomer, setTheScene, victim, world } from './scene.ts'

setTheScene()

describe('attacks by edits, deletes and reactions', () => {
  it("somebody else's edit or delete: only the author changes a text, whichever way the change comes", async () => {
    const ada = await world.visit()
    const { jwt, id } = messageBy(victim, 'genuine', inLobby())
    const later = inLobby({ at: world.clock.now() + 1 })
    const asVictim = claimsBy(victim, 'edit', { target: id, text: 'forged' }, later)
    const attacks = [
      eventBy(mallory, 'edit', { target: id, text: 'forged' }, later).jwt,
      eventBy(mallory, 'delete', { target: id }, later).jwt,
    ]
    const peer = new RawPeer(world.network, LOBBY)
    await peer.publish(attacks[0] ?? '')
    await peer.publish(jwt)
    await peer.publish(attacks[1] ?? '')
    await peer.publish(signClaims(mallory, asVictim))
    expect(textsOf(await backlogOf(world, ada))).toEqual(['genuine'])
    const visitor = await newcomer(await liar(answering(events(...attacks, jwt), done)))
    expect(visitor.heard('backlog')).toEqual([['backlog', ['genuine']]])
    expect([...ada.heard('message-updated'), ...ada.heard('message-deleted')]).toEqual([])
  })

  it('an old edit, replayed: the latest one holds', async () => {
    const [ada, peer] = [await world.visit(), new RawPeer(world.network, LOBBY)]
    const { jwt, id } = messageBy(victim, '0', inLobby())
    const edits = [1, 2].map((ms) =>
      eventBy(victim, 'edit', { target: id, text: `${ms}` }, inLobby({ at: world.clock.now() + ms })),
    )
    await peer.publish(jwt)
    await peer.publish(edits[1]?.jwt ?? '')
    for (const edit of [...edits, ...edits]) await peer.publish(edit.jwt)
    expect(textsOf(await backlogOf(world, ada))).toEqual(['2'])
    expect(ada.heard('message-updated').map(([, text]) => text)).toEqual(['2'])
  })

  it('a deleted message, told again by somebody who kept it: it stays away', async () => {
    const { jwt, id } = messageBy(victim, 'regretted', inLobby())
    const later = inLobby({ at: world.clock.now() + 1 })
    const edit = eventBy(victim, 'edit', { target: id, text: 'regretted, too' }, later).jwt
    const deletion = eventBy(victim, 'delete', { target: id }, inLobby({ at: world.clock.now() + 2 })).jwt
    const keeper = await liar(answering(events(jwt, edit), done))
    await keeper.publish(deletion)
    const ada = await newcomer(keeper)
    await keeper.publish(deletion)
    expect(textsOf(await ada.chat.requestBacklog())).toEqual([])
    await keeper.publish(jwt, edit)
    expect(textsOf(await ada.chat.requestBacklog())).toEqual([])
    const [answer] = await keeper.ask(ada.network.peerId, askForNewest(100))
    expect(answer).toEqual({ kind: 'events', jwts: [deletion] })
  })

  it('a flood of reactions and of changes to messages nobody has: no more than a window', async () => {
    const [ada, peer] = [await world.visit(), new RawPeer(world.network, LOBBY)]
    const at = world.clock.now()
    const jwts = Array.from({ length: 1_100 }, (_, number) => {
      const target = eventId(`nothing ${number}`)
      const options = inLobby({ at: at + number })
      return number % 2 === 0
        ? eventBy(mallory, 'edit', { target, text: 'x' }, options).jwt
        : eventBy(mallory, 'reaction', { target, emoji: '👍', state: 'add' }, options).jwt
    })
    for (let first = 0; first < jwts.length; first += 40) await peer.publish(...jwts.slice(first, first + 40))
    expect(await backlogOf(world, ada)).toEqual([])
    const before = { timestamp: at + 102, prefix: '' }
    const kept = await peer.ask(ada.network.peerId, askForNewest(100, before))
    expect(kept).toMatchObject([{ kind: 'events', jwts: jwts.slice(100, 102) }, { kind: 'turn' }])
  })
})
