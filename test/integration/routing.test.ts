import { delegatedRoutingV1HttpApiClient } from '@helia/delegated-routing-v1-http-api-client'
import { peerIdFromString } from '@libp2p/peer-id'
import type { CID } from 'multiformats/cid'
import { beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { httpRoutes, type NodeFacts } from '../../src/node/http-routes.ts'
import type { PeerEntry } from '../../src/node/routing/peer-directory.ts'
import { routingRoutes } from '../../src/node/routing/routing-routes.ts'
import { systemRandom } from '../../src/random.ts'
import { topicCid } from '../../src/wire/topic-cid.ts'
import { TOPIC } from '../support/authors.ts'
import { atEnd } from '../support/resources.ts'
import { listen, realPeerId, silentComponents, TestDirectory } from '../support/routing.ts'

const cid = topicCid(TOPIC)
const ada: PeerEntry = {
  peerId: realPeerId(1),
  addresses: [
    '/ip4/192.0.2.1/tcp/1/ws',
    `/dns4/example.org/tcp/443/tls/ws/p2p/${realPeerId(9)}/p2p-circuit/webrtc`,
  ],
}
const bob: PeerEntry = {
  peerId: 'QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N',
  addresses: [],
  protocols: ['x'],
}

let asked: (string | undefined)[]
let url: string

/** A node's HTTP server that answers what Helia asks for, or plain JSON whatever it asks for. */
async function serve(options: { asJson: boolean }): Promise<void> {
  const directory = new TestDirectory()
  directory.provide(cid, ada, bob)
  const routing = routingRoutes({ directory, clock: systemClock, random: systemRandom, trustProxy: false })
  const routes = httpRoutes(() => ({}) as NodeFacts, routing)
  asked = []
  const server = await listen((request, response) => {
    asked.push(request.headers.accept)
    if (options.asJson) request.headers.accept = 'application/json'
    routes(request, response)
  })
  atEnd(() => server.close())
  url = server.url
}

function heliaClient() {
  const client = delegatedRoutingV1HttpApiClient({ url })(silentComponents())
  atEnd(() => client.stop())
  return client
}

async function all(records: AsyncIterable<{ ID: CID; Addrs: unknown[]; Protocols: string[] }>) {
  const found: object[] = []
  for await (const { ID, Addrs, Protocols } of records) {
    found.push({ id: ID.toString(), addresses: Addrs.map(String), protocols: Protocols })
  }
  return found
}
const expected = ({ peerId, addresses, protocols = [] }: PeerEntry): object => {
  return { id: peerIdFromString(peerId).toCID().toString(), addresses, protocols }
}

describe.each([{ asJson: false }, { asJson: true }])(
  'Helia’s client reads a node’s answers: %o',
  (options) => {
    beforeEach(() => serve(options))

    it('providers', async () => {
      const found = await all(heliaClient().getProviders(cid))
      expect(found).toHaveLength(2)
      expect(found).toEqual(expect.arrayContaining([expected(ada), expected(bob)]))
      expect(asked).toEqual(['application/x-ndjson, application/json;q=0.8'])
    })

    it('providers, filtered', async () => {
      const client = heliaClient()
      expect(await all(client.getProviders(cid, { filterAddrs: ['webrtc'] }))).toEqual([
        { ...expected(ada), addresses: ada.addresses.slice(1) },
      ])
      expect(
        await all(client.getProviders(cid, { filterAddrs: ['unknown'], filterProtocols: ['x'] })),
      ).toEqual([expected(bob)])
    })

    it('peers', async () => {
      const client = heliaClient()
      for (const entry of [ada, bob]) {
        expect(await all(client.getPeers(peerIdFromString(entry.peerId).toCID()))).toEqual([expected(entry)])
      }
    })

    it('nobody, without an error', async () => {
      const client = heliaClient()
      expect(await all(client.getProviders(topicCid('nobody is here')))).toEqual([])
      expect(await all(client.getPeers(peerIdFromString(realPeerId(5)).toCID()))).toEqual([])
    })

    it('and hears that there is no IPNS here', async () => {
      await expect(heliaClient().getIPNS(peerIdFromString(ada.peerId).toCID())).rejects.toThrow()
    })
  },
)
