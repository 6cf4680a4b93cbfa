import { multiaddr } from '@multiformats/multiaddr'
import { describe, expect, it } from 'vitest'
import { AddressBook } from '../../../src/network/address-book.ts'
import { DialPolicy } from '../../../src/network/dial-policy.ts'
import { KnownNodes } from '../../../src/network/known-nodes.ts'
import { MemberRoutes } from '../../../src/network/member-routes.ts'
import { HandClock } from '../../support/hand-clock.ts'
import { realPeerId } from '../../support/routing.ts'

const [node, member] = [realPeerId(1), realPeerId(2)]
const OWN = `/dns4/node.example/tcp/443/tls/ws/p2p/${node}`
const OTHER = `/dns4/other.example/tcp/443/tls/ws/p2p/${realPeerId(3)}`
const PRIVATE = `/ip4/192.168.1.1/tcp/80/ws/p2p/${realPeerId(4)}`
const behind = (relay: string, way = ''): string => `${relay}/p2p-circuit${way}/p2p/${member}`

/** What is told of the ways to a member that discovery found at these addresses. */
async function routes(addresses: string[], isSecluded = false): Promise<Record<string, string[]>> {
  const clock = new HandClock()
  const known = new KnownNodes(clock)
  await known.locate(known.add(OWN), AbortSignal.abort())
  const book = new AddressBook(clock)
  book.add('topic', [{ peerId: member, addresses: addresses.map((address) => multiaddr(address)) }])
  const policy = new DialPolicy({ allowPrivate: false, isTrusted: (host) => known.isTrusted(host) })
  const { relayed, direct } = new MemberRoutes({ book, known, policy, isSecluded }).to(member)
  return { relayed: relayed.map(String), direct: direct.map(String) }
}

describe('the ways to a member', () => {
  it('lead through our nodes, also where nobody found it', async () => {
    expect(await routes([])).toEqual({ relayed: [behind(OWN)], direct: [] })
  })

  it('lead through the relays it was found at, each once, and directly where it takes that', async () => {
    const found = [
      behind(OWN),
      behind(OTHER),
      behind(OTHER, '/webrtc'),
      `/dns4/a.example/tcp/1/ws/p2p/${member}`,
    ]
    expect(await routes(found)).toEqual({
      relayed: [behind(OWN), behind(OTHER)],
      direct: [behind(OTHER, '/webrtc')],
    })
  })

  it('lead into no private network', async () => {
    expect(await routes([behind(PRIVATE), behind(PRIVATE, '/webrtc')])).toEqual({
      relayed: [behind(OWN)],
      direct: [],
    })
  })

  it('lead to our nodes only for whoever wants no direct connections', async () => {
    const found = [behind(OWN), behind(OTHER), behind(OTHER, '/webrtc')]
    expect((await routes(found, true)).relayed).toEqual([behind(OWN)])
    expect((await routes(found, true)).direct).toEqual([])
  })
})
