import { expect } from '@playwright/test'
import { encodeFrame } from '../src/wire/frame.ts'
import { createBarePeer, enterTopic } from '../test/support/bare-peer.ts'
import { alter, authorOf } from '../test/support/forge.ts'
import { didOf, row, test } from './support/stage.ts'

const TOPIC = '3box.chat.ghostchat-page.lobby'

test('a forged and an altered event, published straight into the topic, surface on no page', async ({
  stage,
  browser,
}) => {
  const pages = [await stage.enter(browser, 'Ada'), await stage.enter(browser, 'Bob')] as const
  const adasDid = await didOf(pages[0])
  const author = await authorOf(TOPIC)
  const { jwt } = await author.write('message', { text: 'genuine' })
  const leave = await author.write('leave', { peer: author.did.slice(8, 60) })
  const attacks = [
    alter(jwt, 'genuine', 'altered'),
    alter(jwt, author.did, adasDid),
    alter(leave.jwt, author.did, adasDid),
  ]
  // Each from a peer of its own: who is caught forging is not listened to for long.
  const peers = await Promise.all([...attacks, jwt].map(() => createBarePeer(stage.node.multiaddrs[0] ?? '')))
  for (const [index, event] of [...attacks, jwt].entries()) {
    const pubsub = peers[index]?.services.pubsub
    if (pubsub === undefined) throw new Error('a peer is missing')
    await enterTopic(pubsub, TOPIC)
    await pubsub.publish(TOPIC, encodeFrame([event]))
  }
  // The genuine one came last and shows that the others were dealt with.
  for (const page of pages) {
    await expect(row(page, 'genuine')).toHaveAttribute('data-did', author.did)
    await expect(page.getByTestId('message')).toHaveCount(1)
    await expect(page.getByTestId('member')).toHaveCount(2)
  }
  await Promise.all(peers.map((peer) => peer.stop()))
})
