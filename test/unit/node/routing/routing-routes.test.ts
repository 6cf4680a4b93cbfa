import { peerIdFromString } from '@libp2p/peer-id'
import { ManualClock } from 'ghostchat/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { httpRoutes, type NodeFacts } from '../../../../src/node/http-routes.ts'
import type { PeerEntry } from '../../../../src/node/routing/peer-directory.ts'
import { routingRoutes } from '../../../../src/node/routing/routing-routes.ts'
import { systemRandom } from '../../../../src/random.ts'
import { topicCid } from '../../../../src/wire/topic-cid.ts'
import { NOW, TOPIC } from '../../../support/authors.ts'
import { listen, realPeerId, requestRaw, TestDirectory } from '../../../support/routing.ts'

const cid = topicCid(TOPIC)
const empty = topicCid('nobody is here')
const ada: PeerEntry = { peerId: realPeerId(1), addresses: ['/ip4/192.0.2.1/tcp/1/ws'] }
const bob: PeerEntry = {
  peerId: realPeerId(2),
  addresses: ['/dns4/example.org/tcp/443/tls/ws'],
  protocols: ['ghostchat'],
}
const recordOf = ({ peerId, addresses, protocols = [] }: PeerEntry): object => ({
  Schema: 'peer',
  ID: peerId,
  Addrs: addresses,
  Protocols: protocols,
})
const many = Array.from({ length: 300 }, (_, at): PeerEntry => {
  return { peerId: realPeerId(at), addresses: [`/ip4/192.0.2.1/tcp/${at + 1}`] }
})

let clock: ManualClock
let directory: TestDirectory
let facts: NodeFacts | undefined
let server: Awaited<ReturnType<typeof listen>>
let trustProxy: boolean

beforeEach(async () => {
  clock = new ManualClock(NOW)
  directory = new TestDirectory()
  directory.provide(cid, ada, bob)
  facts = { info: () => ({}), health: () => ({}) } as unknown as NodeFacts
  trustProxy = false
  await start()
})
afterEach(() => server.close())

async function start(): Promise<void> {
  const routing = routingRoutes({ directory, clock, random: systemRandom, trustProxy })
  server = await listen(httpRoutes(() => facts, routing))
}
const get = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
  requestRaw(server.url, { path: `/routing/v1/${path}`, method, headers })
const idsIn = (body: string): string[] =>
  (JSON.parse(body) as { Providers: { ID: string }[] }).Providers.map(({ ID }) => ID)
const ndjson = { accept: 'application/x-ndjson' }

describe('providers', () => {
  it('are the peers that advertise themselves under a CID, as a JSON list', async () => {
    const { status, headers, body } = await get(`providers/${cid}`)
    expect([status, headers['content-type']]).toEqual([200, 'application/json'])
    const { Providers } = JSON.parse(body) as { Providers: { ID: string }[] }
    expect(Providers.sort((a) => (a.ID === ada.peerId ? -1 : 1))).toEqual([recordOf(ada), recordOf(bob)])
  })

  it('come one a line as NDJSON', async () => {
    const { status, headers, body } = await get(`providers/${cid}`, ndjson)
    expect([status, headers['content-type']]).toEqual([200, 'application/x-ndjson'])
    expect(body.endsWith('\n')).toBe(true)
    const records = body
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as object)
    expect(records).toHaveLength(2)
    expect(records).toEqual(expect.arrayContaining([recordOf(ada), recordOf(bob)]))
  })

  it('are an empty list, with 200, where there are none', async () => {
    const json = await get(`providers/${empty}`)
    expect([json.status, JSON.parse(json.body)]).toEqual([200, { Providers: [] }])
    const lines = await get(`providers/${empty}`, ndjson)
    expect([lines.status, lines.headers['content-type'], lines.body]).toEqual([
      200,
      'application/x-ndjson',
      '',
    ])
  })

  it('may be cached for a short time, and for a shorter one where there are none', async () => {
    for (const headers of [{}, ndjson]) {
      const found = await get(`providers/${cid}`, headers)
      const none = await get(`providers/${empty}`, headers)
      const stale = 'stale-while-revalidate=120, stale-if-error=120'
      expect(found.headers['cache-control']).toBe(`public, max-age=30, ${stale}`)
      expect(none.headers['cache-control']).toBe(`public, max-age=5, ${stale}`)
      expect(found.headers.vary).toBe('Accept')
      expect(found.headers['last-modified']).toBe(new Date(NOW).toUTCString())
    }
  })

  it.each([{}, ndjson])('are 100 at most, a random sample: %o', async (headers) => {
    directory.provide(cid, ...many)
    const sets = await Promise.all(
      [1, 2].map(async () => {
        const { body } = await get(`providers/${cid}`, headers)
        return new Set(body.match(/"ID":"\w+"/g))
      }),
    )
    expect(sets.map((ids) => ids.size)).toEqual([100, 100])
    expect(sets[0]).not.toEqual(sets[1])
  })

  it('are each named once', async () => {
    directory.provide(cid, ada, ada, bob, { ...bob, addresses: [] })
    expect(idsIn((await get(`providers/${cid}`)).body).sort()).toEqual([ada.peerId, bob.peerId].sort())
  })

  it('are counted after the filter', async () => {
    const [rare, ...others] = many
    directory.provide(cid, ...others, { ...bob, peerId: rare?.peerId ?? '' })
    const { body } = await get(`providers/${cid}?filter-addrs=tls`)
    expect(idsIn(body)).toEqual([rare?.peerId])
  })

  it('are looked for among 500 at most, so that a filter which passes nobody stays cheap', async () => {
    let looked = 0
    const counting = Array.from({ length: 3_000 }, (_, at): PeerEntry => {
      return {
        peerId: `peer ${at}`,
        get addresses() {
          looked += 1
          return []
        },
      }
    })
    directory.providers = () => counting
    await get(`providers/${cid}?filter-addrs=tls`)
    expect(looked).toBe(500)
  })

  it('pass the filters of the query', async () => {
    expect(idsIn((await get(`providers/${cid}?filter-addrs=tls`)).body)).toEqual([bob.peerId])
    expect(idsIn((await get(`providers/${cid}?filter-addrs=%21tls`)).body)).toEqual([ada.peerId])
    expect(idsIn((await get(`providers/${cid}?filter-protocols=unknown`)).body)).toEqual([ada.peerId])
    expect(idsIn((await get(`providers/${cid}?x=1&filter-protocols=ghostchat,x`)).body)).toEqual([bob.peerId])
  })
})

describe('peers', () => {
  it('are found by their id: a CID, or a multihash in base58', async () => {
    for (const id of [bob.peerId, peerIdFromString(bob.peerId).toCID().toString()]) {
      const json = await get(`peers/${id}`)
      expect([json.status, json.headers['content-type']]).toEqual([200, 'application/json'])
      expect(JSON.parse(json.body)).toEqual({ Peers: [recordOf(bob)] })
      const line = await get(`peers/${id}`, ndjson)
      expect([line.status, line.headers['content-type']]).toEqual([200, 'application/x-ndjson'])
      expect(line.body).toBe(`${JSON.stringify(recordOf(bob))}\n`)
    }
  })

  it('are an empty list, with 200, where one is not known or does not pass the filter', async () => {
    for (const path of [`peers/${realPeerId(9)}`, `peers/${bob.peerId}?filter-addrs=quic`]) {
      const { status, body } = await get(path)
      expect([status, JSON.parse(body)]).toEqual([200, { Peers: [] }])
    }
  })
})

describe('what cannot be answered', () => {
  it.each([
    '',
    'providers',
    'providers/',
    'peers',
    'peers/',
    'providers/nonsense',
    'peers/nonsense',
    'providers/%zz',
  ])('is 400: %j', async (path) => {
    expect((await get(path)).status).toBe(400)
  })

  it.each([
    `providers/${cid}/`,
    `providers/${cid}/x`,
    'names/x',
    'providerss/x',
    'dht',
    'dht/get/x',
    '//providers',
  ])('is 400 for a path that is unknown: %j', async (path) => {
    expect((await get(path)).status).toBe(400)
  })

  it('is 400 for /routing/v1 alone, and 404 beside it', async () => {
    const statusOf = async (path: string): Promise<number> => (await requestRaw(server.url, { path })).status
    expect(await statusOf('/routing/v1')).toBe(400)
    expect(await statusOf('/routing/v1?x')).toBe(400)
    for (const path of ['/routing', '/routing/v10', '/routing/v2/providers/x', '/x/routing/v1/providers/x']) {
      expect(await statusOf(path)).toBe(404)
    }
  })

  it('is 422 for a CID that is no peer, and for a filter that is too long', async () => {
    expect((await get(`peers/${cid}`)).status).toBe(422)
    expect((await get(`providers/${cid}?filter-addrs=${'x'.repeat(64)}`)).status).toBe(422)
    expect((await get(`peers/${ada.peerId}?filter-protocols=${'x,'.repeat(41)}`)).status).toBe(422)
  })

  it.each([
    ['GET', 'ipns/k51qzi5uqu5d'],
    ['PUT', 'ipns/k51qzi5uqu5d'],
    ['GET', 'dht/closest/peers/x'],
    ['PUT', 'providers'],
    ['PUT', `providers/${cid}`],
    ['POST', `providers/${cid}`],
    ['DELETE', `peers/${ada.peerId}`],
  ])('is 501 for %s %s', async (method, path) => {
    const { status, headers } = await get(path, {}, method)
    expect(status).toBe(501)
    expect(headers['cache-control']).toBe('no-store')
  })

  it('is 503 while the node starts or stops', async () => {
    facts = undefined
    expect((await get(`providers/${cid}`)).status).toBe(503)
  })

  it('says why in plain text that no cache keeps', async () => {
    const { headers, body } = await get('providers/<script>')
    expect(headers['content-type']).toBe('text/plain; charset=utf-8')
    expect(headers['x-content-type-options']).toBe('nosniff')
    expect(headers['cache-control']).toBe('no-store')
    expect(body).toBe('malformed CID\n')
  })
})

describe('the rate limit', () => {
  const ask = async (times: number, headers: Record<string, string> = {}): Promise<number[]> => {
    const answers = await Promise.all(Array.from({ length: times }, () => get(`providers/${empty}`, headers)))
    return answers.map(({ status }) => status)
  }

  it('is 200 requests at once, then 429 with the time to wait, and 20 more a second', async () => {
    expect(new Set(await ask(200))).toEqual(new Set([200]))
    const refused = await get(`providers/${empty}`)
    expect([refused.status, refused.headers['retry-after'], refused.headers['cache-control']]).toEqual([
      429,
      '1',
      'no-store',
    ])
    expect(refused.headers['access-control-expose-headers']).toBe('retry-after')
    await clock.advance(1_000)
    const statuses = await ask(30)
    expect(statuses.filter((status) => status === 200)).toHaveLength(20)
  })

  it('is one for each address behind a proxy that is trusted', async () => {
    await server.close()
    trustProxy = true
    await start()
    await ask(250, { 'x-forwarded-for': '192.0.2.1' })
    expect(await ask(1, { 'x-forwarded-for': '192.0.2.1' })).toEqual([429])
    expect(await ask(1, { 'x-forwarded-for': '192.0.2.2' })).toEqual([200])
  })

  it('does not believe a client that names another address', async () => {
    await ask(250, { 'x-forwarded-for': '192.0.2.1' })
    expect(await ask(1, { 'x-forwarded-for': '192.0.2.2' })).toEqual([429])
  })
})

describe('browsers', () => {
  it('of every origin may read everything', async () => {
    for (const path of [`providers/${cid}`, 'nonsense', 'ipns/x', `peers/${cid}`]) {
      expect((await get(path)).headers['access-control-allow-origin']).toBe('*')
    }
  })

  it('may ask first', async () => {
    const { status, headers } = await get(`providers/${cid}`, { origin: 'https://example.org' }, 'OPTIONS')
    expect([status, headers['access-control-allow-methods']]).toEqual([204, 'GET, HEAD, OPTIONS'])
  })
})

describe('HEAD', () => {
  it('is GET without the body', async () => {
    for (const headers of [{}, ndjson]) {
      const head = await get(`providers/${cid}`, headers, 'HEAD')
      const full = await get(`providers/${cid}`, headers)
      expect(head.body).toBe('')
      expect(head.status).toBe(200)
      for (const name of ['content-type', 'content-length', 'cache-control', 'vary']) {
        expect(head.headers[name]).toBe(full.headers[name])
      }
    }
    expect((await get('providers/nonsense', {}, 'HEAD')).status).toBe(400)
  })
})
