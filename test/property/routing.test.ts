import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { httpRoutes, type NodeFacts } from '../../src/node/http-routes.ts'
import { chooseMediaType } from '../../src/node/routing/accept.ts'
import { peerFilter } from '../../src/node/routing/filter.ts'
import { parseCid, parsePeerId } from '../../src/node/routing/routing-key.ts'
import { routingRoutes } from '../../src/node/routing/routing-routes.ts'
import { systemRandom } from '../../src/random.ts'
import { topicCid } from '../../src/wire/topic-cid.ts'
import { NOW, TOPIC } from '../support/authors.ts'
import { property } from '../support/property.ts'
import { listen, realPeerId, requestRaw, TestDirectory } from '../support/routing.ts'
import { runs } from '../support/runs.ts'

const cid = topicCid(TOPIC)
const peerId = realPeerId(1)
const addresses = ['/ip4/192.0.2.1/tcp/1/ws', '/dns4/example.org/tcp/443/tls/ws/p2p-circuit/webrtc']

let server: Awaited<ReturnType<typeof listen>>
beforeAll(async () => {
  const directory = new TestDirectory()
  directory.provide(cid, { peerId, addresses })
  // Time passes with every look at the clock, so that the rate limit grants every request.
  let time = NOW
  const now = (): number => {
    time += 1_000
    return time
  }
  const routing = routingRoutes({
    directory,
    clock: { now, after: () => () => {} },
    random: systemRandom,
    trustProxy: true,
  })
  server = await listen(httpRoutes(() => ({}) as NodeFacts, routing))
})
afterAll(() => server.close())

const ascii = fc.string({ unit: 'grapheme-ascii', maxLength: 40 })
/** What may stand in a request line: no blanks, no control characters. */
const target = (text: string): string =>
  text.replaceAll(/[^\u0021-\u007e]/g, (rune) => encodeURIComponent(rune))
const segment = fc.oneof(
  fc.constantFrom('providers', 'peers', 'ipns', 'dht', 'closest', '..', '', '%', '%00', '%zz', '%2F'),
  fc.constantFrom(cid.toString(), peerId, `${cid}?`, 'Qm', '1', 'b', 'z'),
  ascii.map((text) => target(text)),
  fc.string({ unit: 'binary', maxLength: 10 }).map((text) => encodeURIComponent(text.toWellFormed())),
)
const names = fc.array(
  fc.oneof(fc.constantFrom('unknown', '!tcp', 'WS', 'webrtc', '!', '', 'ghostchat'), ascii),
  {
    maxLength: 50,
  },
)
const query = fc
  .record({ key: fc.constantFrom('filter-addrs', 'filter-protocols', 'x'), names, raw: ascii })
  .map(({ key, names: list, raw }) => `${key}=${target(list.join())}&${target(raw)}`)
const accept = fc.oneof(
  fc.constantFrom(
    '*/*',
    'application/x-ndjson',
    'application/json;q=0.1, application/x-ndjson;q=',
    ',;,;q=;=',
  ),
  ascii.map((text) => text.replaceAll(/[^\u0020-\u007e]/g, '')),
)

describe('delegated routing', () => {
  it('answers every request with a status of the API, and a list where it is 200', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.array(segment, { maxLength: 4 }),
          fc.tuple(fc.constantFrom('providers', 'peers'), segment),
        ),
        query,
        accept,
        fc.constantFrom('GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'PATCH', 'PROPFIND'),
        async (segments, search, accepted, method) => {
          const path = `/routing/v1/${segments.join('/')}?${search}`
          const headers = { accept: accepted, 'x-forwarded-for': accepted }
          const { status, headers: answered, body } = await requestRaw(server.url, { path, method, headers })
          expect([200, 400, 422, 501]).toContain(status)
          expect(answered['access-control-allow-origin']).toBe('*')
          if (method === 'HEAD') expect(body).toBe('')
          if (status !== 200 || method === 'HEAD') return
          expect(method).toBe('GET')
          if (answered['content-type'] === 'application/x-ndjson') {
            for (const line of body.split('\n').slice(0, -1)) expect(JSON.parse(line)).toHaveProperty('ID')
          } else {
            expect(Object.keys(JSON.parse(body) as object).join()).toMatch(/^(?:Providers|Peers)$/)
          }
        },
      ),
      runs(500),
    )
  })

  it('reads any text as a key, a header or a filter without throwing', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 700, size: 'max' }),
      fc
        .tuple(fc.constantFrom('1', 'Qm', 'b', 'z', 'k', '0', 'f', '9', 'u'), ascii)
        .map((parts) => parts.join('')),
    )
    fc.assert(
      property(text, (any) => {
        parseCid(any)
        expect(parsePeerId(any)).toMatch(/^(?:malformed|no-peer|1\w+|Qm\w+)$/)
        expect(chooseMediaType(any)).toMatch(/^application\/(?:json|x-ndjson)$/)
        const filter = peerFilter(new URLSearchParams({ 'filter-addrs': any, 'filter-protocols': any }))
        filter?.({ peerId, addresses: [...addresses, any], protocols: [any] })
      }),
      runs(2_000),
    )
  })

  it('filters addresses as IPIP-484 says', () => {
    const pool = ['ip4', 'dns4', 'tcp', 'ws', 'tls', 'webrtc', 'quic-v1'] as const
    const filter = fc.uniqueArray(fc.tuple(fc.boolean(), fc.constantFrom(...pool)), {
      selector: ([, name]) => name,
    })
    fc.assert(
      property(filter, (parts) => {
        const list = parts.map(([isRefused, name]) => (isRefused ? `!${name}` : name)).join()
        const passed = peerFilter(new URLSearchParams({ 'filter-addrs': list }))?.({ peerId, addresses })
        const holds = (address: string, name: string): boolean => address.split('/').includes(name)
        const refused = parts.filter(([isRefused]) => isRefused).map(([, name]) => name)
        const wanted = parts.filter(([isRefused]) => !isRefused).map(([, name]) => name)
        const expected = addresses.filter(
          (address) =>
            !refused.some((name) => holds(address, name)) &&
            (wanted.length === 0 || wanted.some((name) => holds(address, name))),
        )
        expect(passed?.addresses ?? []).toEqual(expected)
      }),
      runs(),
    )
  })
})
