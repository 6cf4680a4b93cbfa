import { once } from 'node:events'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { peerIdFromString } from '@libp2p/peer-id'
import { build } from 'esbuild'
import { ManualClock } from 'ghostchat/testing'
import { base58btc } from 'multiformats/bases/base58'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createRoutingClient, DelegatedRouting } from '../../../src/discovery/routing-client.ts'
import { httpRoutes, type NodeFacts } from '../../../src/node/http-routes.ts'
import { routingRoutes } from '../../../src/node/routing/routing-routes.ts'
import { systemRandom } from '../../../src/random.ts'
import { topicCid } from '../../../src/wire/topic-cid.ts'
import { NOW, TOPIC } from '../../support/authors.ts'
import { listen, realPeerId, TestDirectory } from '../../support/routing.ts'

const [ada, bob, carol] = [realPeerId(1), realPeerId(2), realPeerId(3)]
const addressOfAda = '/ip4/192.0.2.1/tcp/1/ws'
const asCid = (peerId: string): string => peerIdFromString(peerId).toCID().toString()
const ndjson = 'application/x-ndjson'
/** What libp2p takes for a peer id: an identity multihash of `https://example.org/`. */
const idOfUrl = base58btc.baseEncode(
  Uint8Array.of(0, 20, ...new TextEncoder().encode('https://example.org/')),
)

let clock: ManualClock
let answer: RequestListener
let requests: IncomingMessage[]
let server: Awaited<ReturnType<typeof listen>>
let client: DelegatedRouting

beforeEach(async () => {
  clock = new ManualClock(NOW)
  requests = []
  server = await listen((request, response) => {
    requests.push(request)
    answer(request, response)
  })
  client = new DelegatedRouting(new URL(server.url), clock)
})
afterEach(async () => {
  vi.unstubAllGlobals()
  client.stop()
  await server.close()
  expect(clock.pending).toBe(0)
})

const record = (ID: unknown, Addrs: unknown = [addressOfAda], more: object = {}): object => {
  return { Schema: 'peer', ID, Addrs, ...more }
}
const lines = (...values: unknown[]): string => values.map((value) => `${JSON.stringify(value)}\n`).join('')

/** The server answers this text, whatever it is asked. */
function answerWith(text: string, type = ndjson, status = 200): void {
  answer = (_request, response) => {
    response.writeHead(status, { 'content-type': type })
    response.end(text)
  }
}

/** The server answers this text and then nothing more; what it did can be awaited. */
function answerAndStall(text: string): { began: Promise<ServerResponse>; closed: Promise<unknown> } {
  const began = Promise.withResolvers<ServerResponse>()
  const closed = began.promise.then((response) => once(response, 'close'))
  answer = (_request, response) => {
    response.writeHead(200, { 'content-type': ndjson })
    response.write(text)
    began.resolve(response)
  }
  return { began: began.promise, closed }
}

/** Instead of the server: this text has come and was read, and nothing more comes. */
function stallAfter(text: string): { waiting: Promise<void>; left: Promise<void> } {
  const waiting = Promise.withResolvers<void>()
  const left = Promise.withResolvers<void>()
  const chunks = [new TextEncoder().encode(text)]
  vi.stubGlobal('fetch', async (_url: string, { signal }: { signal: AbortSignal }) => {
    const body = new ReadableStream(
      {
        start(controller) {
          signal.addEventListener('abort', () => {
            controller.error(signal.reason)
            left.resolve()
          })
        },
        pull(controller) {
          const chunk = chunks.shift()
          if (chunk === undefined) waiting.resolve()
          else controller.enqueue(chunk)
        },
      },
      { highWaterMark: 0 },
    )
    return new Response(body, { headers: { 'content-type': ndjson } })
  })
  return { waiting: waiting.promise, left: left.promise }
}

/** The server repeats this text until the client goes away. */
function answerEndlessly(text: string, type = ndjson): Promise<void> {
  const gone = Promise.withResolvers<void>()
  answer = (_request, response) => {
    response.writeHead(200, { 'content-type': type })
    const more = (): void => {
      while (!response.destroyed && response.write(text));
    }
    response.on('drain', more)
    response.on('close', () => gone.resolve())
    more()
  }
  return gone.promise
}

/** Who was found, in plain words. */
const found = async (
  options: { signal?: AbortSignal; limit?: number } = {},
): Promise<[string, string[]][]> => {
  const peers = await client.findProviders(TOPIC, options)
  return peers.map(({ peerId, addresses }) => [peerId, addresses.map(String)])
}

describe('members of a topic', () => {
  it('are found at a GhostNode', async () => {
    const directory = new TestDirectory()
    directory.provide(
      topicCid(TOPIC),
      { peerId: ada, addresses: [addressOfAda] },
      { peerId: bob, addresses: [] },
    )
    const routing = routingRoutes({ directory, clock, random: systemRandom, trustProxy: false })
    answer = httpRoutes(() => ({}) as NodeFacts, routing)
    expect((await found()).sort(([a]) => (a === ada ? -1 : 1))).toEqual([
      [ada, [addressOfAda]],
      [bob, []],
    ])
    expect(await client.findProviders('another topic')).toEqual([])
    expect((await client.findPeer(ada))?.addresses.map(String)).toEqual([addressOfAda])
    expect(await client.findPeer(carol)).toBeUndefined()
  })

  it('are asked for once, as a stream if possible, under the CID of the topic', async () => {
    answerWith('')
    await found()
    expect(requests.map(({ method, url, headers }) => [method, url, headers.accept])).toEqual([
      ['GET', `/routing/v1/providers/${topicCid(TOPIC)}`, 'application/x-ndjson, application/json;q=0.8'],
    ])
    expect(requests[0]?.headers.cookie).toBeUndefined()
  })

  it.each(['', '/', '/below', '/below/', '/routing/v1', '/below/routing/v1/', '/below/?x=1#y'])(
    'are asked for below the URL that was given, which ends in %j',
    async (path) => {
      answerWith('')
      await new DelegatedRouting(new URL(server.url + path), clock).findProviders(TOPIC)
      const below = path.startsWith('/below') ? '/below' : ''
      expect(requests[0]?.url).toBe(`${below}/routing/v1/providers/${topicCid(TOPIC)}`)
    },
  )

  it('are read from a stream, from a list, and from what Go writes for an empty list', async () => {
    answerWith(lines(record(ada), record(bob)))
    expect((await found()).map(([peerId]) => peerId)).toEqual([ada, bob])
    answerWith(JSON.stringify({ Providers: [record(ada), record(bob)] }), 'application/json; charset=utf-8')
    expect((await found()).map(([peerId]) => peerId)).toEqual([ada, bob])
    answerWith('{"Providers":null}', 'application/json')
    expect(await found()).toEqual([])
  })

  it('are read in every form of a peer id, in legacy schemas, and from a last line without an end', async () => {
    const legacy = { Protocol: 'transport-bitswap', Schema: 'bitswap', ID: carol, Addrs: null }
    answerWith(lines(record(asCid(ada)), record(bob)) + JSON.stringify(legacy))
    expect(await found()).toEqual([
      [ada, [addressOfAda]],
      [bob, [addressOfAda]],
      [carol, []],
    ])
  })

  it('are nobody where an older server answers 404', async () => {
    answerWith('not found', 'text/plain', 404)
    expect(await found()).toEqual([])
  })

  it('are 100 at most, or as many as were asked for; the rest is not read', async () => {
    const gone = answerEndlessly(lines(...Array.from({ length: 300 }, (_, at) => record(realPeerId(at)))))
    expect(await found()).toHaveLength(100)
    await gone
    expect(await found({ limit: 7 })).toHaveLength(7)
    expect(await found({ limit: 1_000 })).toHaveLength(100)
  })

  it('are each named once, with the addresses that came first', async () => {
    answerWith(lines(record(ada), record(asCid(ada), ['/ip4/192.0.2.9/tcp/9'])))
    expect(await found()).toEqual([[ada, [addressOfAda]]])
  })
})

describe('what is malformed', () => {
  it('is left out: addresses that are none, those of others, those too long, and what comes twice', async () => {
    const own = `${addressOfAda}/p2p/${ada}`
    const circuit = `/dns4/example.org/tcp/443/tls/ws/p2p/${bob}/p2p-circuit/webrtc/p2p/${ada}`
    answerWith(
      lines(
        record(ada, [
          'nonsense',
          '',
          '/ip4/999.0.0.1/tcp/1',
          '/no-such-protocol/1',
          7,
          null,
          { toString: 'x' },
          `/dns4/${'x'.repeat(512)}/tcp/1`,
          `${addressOfAda}/p2p/${bob}`,
          own,
          own,
          circuit,
        ]),
      ),
    )
    const [peer] = await found()
    expect(peer).toEqual([ada, [own, circuit]])
  })

  it('is left out: addresses after the eighth', async () => {
    const ports = Array.from({ length: 20 }, (_, at) => `/ip4/192.0.2.1/tcp/${at + 1}`)
    answerWith(lines(record(ada, ports)))
    expect(await found()).toEqual([[ada, ports.slice(0, 8)]])
  })

  it('is left out: lines and entries that are no peers', async () => {
    const none = [
      null,
      1,
      'x',
      [],
      {},
      record(undefined),
      record(''),
      record('x'),
      record(7),
      record(idOfUrl),
    ]
    const others = [record(`1${'2'.repeat(10_000)}`), record(topicCid(TOPIC).toV1().toString().slice(0, 20))]
    for (const [text, type] of [
      [`\n{\r\n${lines(...none, ...others)}]]]\n\n${lines(record(ada, 'x'), record(bob))}`, ndjson],
      [
        JSON.stringify({ Providers: [...none, ...others, record(ada, 'x'), record(bob)] }),
        'application/json',
      ],
    ] as const) {
      answerWith(text, type)
      expect(await found()).toEqual([
        [ada, []],
        [bob, [addressOfAda]],
      ])
    }
  })

  it('does not grow memory: a stream without end is read for 512 KiB, and what was in it counts', async () => {
    const gone = answerEndlessly(lines(record(ada), record(bob)))
    expect((await found()).map(([peerId]) => peerId)).toEqual([ada, bob])
    await gone
  })

  it.each([
    ['a stream of lines that are no peers', '{}\n', ndjson, 'over 524288 bytes'],
    ['a line without end', 'x'.repeat(1_000), ndjson, 'a line of its answer is too long'],
    ['a list without end', '[[[', 'application/json', 'over 524288 bytes'],
  ])('is an error: %s', async (_what, text, type, message) => {
    const gone = answerEndlessly(text, type)
    await expect(found()).rejects.toMatchObject({
      code: 'node-unreachable',
      message: expect.stringContaining(message),
    })
    await gone
  })

  it.each([
    ['a list that is none', '{"Providers":', 'application/json', 200, 'its answer is not JSON'],
    ['a web page', '<html>', 'text/html', 200, "it answers 'text/html' instead of JSON"],
    ['too many requests', 'slow down', 'text/plain', 429, 'it answers 429'],
    ['an error', '{}', 'application/json', 500, 'it answers 500'],
  ])('is an error: %s', async (_what, text, type, status, message) => {
    answerWith(text, type, status)
    const expected = {
      code: 'node-unreachable',
      message: `the routing endpoint ${server.url}/ is of no use: ${message}`,
    }
    await expect(found()).rejects.toMatchObject(expected)
    // Helia's client would hide this one.
    await expect(client.findPeer(ada)).rejects.toMatchObject(expected)
  })

  it('is an error: an endpoint that redirects, breaks off, or is not there', async () => {
    answerWith(lines(record(ada)))
    const elsewhere = answer
    answer = (request, response) => {
      if (request.url === '/elsewhere') elsewhere(request, response)
      else response.writeHead(302, { location: '/elsewhere' }).end()
    }
    await expect(found()).rejects.toMatchObject({ code: 'node-unreachable' })
    answer = (_request, response) => response.destroy()
    await expect(found()).rejects.toMatchObject({ code: 'node-unreachable' })
    await server.close()
    await expect(found()).rejects.toMatchObject({
      code: 'node-unreachable',
      message: expect.stringContaining('ECONNREFUSED'),
    })
  })
})

describe('an endpoint that stalls', () => {
  it('is given 10 s, and is an error when it has named nobody by then', async () => {
    const { began, closed } = answerAndStall('')
    const finding = found()
    finding.catch(() => {})
    await began
    await clock.advance(9_999)
    const early = await Promise.race([finding.catch(() => 'failed'), Promise.resolve('pending')])
    expect(early).toBe('pending')
    await clock.advance(1)
    await expect(finding).rejects.toMatchObject({
      code: 'node-unreachable',
      message: `the routing endpoint ${server.url}/ is of no use: it did not answer within 10 s`,
    })
    await closed
  })

  it('has what it named by then counted', async () => {
    const { waiting, left } = stallAfter(lines(record(ada)))
    const finding = found()
    await waiting
    await clock.advance(10_000)
    expect(await finding).toEqual([[ada, [addressOfAda]]])
    await left
  })

  it('is left when the caller aborts, with the caller’s reason', async () => {
    const { began, closed } = answerAndStall('')
    const caller = new AbortController()
    const finding = found({ signal: caller.signal })
    const reason = new Error('changed my mind')
    finding.catch(() => {})
    await began
    caller.abort(reason)
    await expect(finding).rejects.toBe(reason)
    await closed
    await expect(found({ signal: AbortSignal.abort(new Error('before')) })).rejects.toThrow('before')
    expect(requests).toHaveLength(1)
  })

  it('is left when the caller aborts, whatever was found by then', async () => {
    const { waiting, left } = stallAfter(lines(record(ada)))
    const caller = new AbortController()
    const finding = found({ signal: caller.signal })
    finding.catch(() => {})
    await waiting
    caller.abort(new Error('changed my mind'))
    await expect(finding).rejects.toThrow('changed my mind')
    await left
  })

  it('is left when the client stops, which then asks no more', async () => {
    const { began, closed } = answerAndStall(lines(record(ada)))
    const finding = Promise.allSettled([found(), client.findPeer(ada)])
    await began
    client.stop()
    for (const outcome of await finding) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'space-closed' } })
    }
    await closed
    await expect(found()).rejects.toMatchObject({ code: 'space-closed' })
  })

  it('holds up nobody else: each request is one of its own', async () => {
    let count = 0
    answer = (_request, response) => {
      count += 1
      response.writeHead(200, { 'content-type': ndjson })
      if (count <= 6) response.write(' ')
      else response.end(lines(record(ada)))
    }
    const caller = new AbortController()
    const stalled = Array.from({ length: 6 }, () => found({ signal: caller.signal }).catch(() => 'left'))
    await vi.waitUntil(() => count === 6)
    expect(await found()).toEqual([[ada, [addressOfAda]]])
    caller.abort()
    expect(await Promise.all(stalled)).toEqual(Array(6).fill('left'))
  })
})

describe('a peer', () => {
  it('is found under its own id only, whomever else the endpoint names', async () => {
    answerWith(lines(record(bob), record(ada), record(carol)))
    expect((await client.findPeer(ada))?.peerId).toBe(ada)
    expect((await client.findPeer(asCid(ada)))?.peerId).toBe(ada)
    expect(requests[0]?.url).toBe(`/routing/v1/peers/${asCid(ada)}`)
    answerWith(lines(record(bob)))
    expect(await client.findPeer(ada)).toBeUndefined()
  })

  it.each(['', 'nobody', `${ada}x`, idOfUrl, topicCid(TOPIC).toString()])(
    'has to be named by its id: %j',
    async (id) => {
      await expect(client.findPeer(id)).rejects.toMatchObject({ code: 'invalid-option' })
      expect(requests).toEqual([])
    },
  )
})

describe('the client', () => {
  it.each(['ftp://example.org', 'https://user@example.org', 'https://:secret@example.org', 'data:,x'])(
    'refuses %s as an endpoint',
    (url) => {
      expect(() => createRoutingClient(new URL(url))).toThrow(
        expect.objectContaining({ code: 'invalid-option' }),
      )
    },
  )

  it('leaves the caches of the page alone', async () => {
    const touched: string[] = []
    const spy = (name: string) => async () => void touched.push(name)
    vi.stubGlobal('caches', { open: spy('open'), delete: spy('delete'), match: spy('match') })
    answerWith(lines(record(ada)))
    await found()
    client.stop()
    expect(touched).toEqual([])
  })

  it('loads Helia’s client only when it is used', async () => {
    const { metafile } = await build({
      entryPoints: ['src/discovery/routing-client.ts'],
      bundle: true,
      splitting: true,
      format: 'esm',
      outdir: 'out',
      write: false,
      metafile: true,
      logLevel: 'silent',
    })
    const [, entry] =
      Object.entries(metafile.outputs).find(([, { entryPoint }]) =>
        entryPoint?.endsWith('routing-client.ts'),
      ) ?? []
    const inputs = Object.keys(entry?.inputs ?? {})
    expect(inputs.some((path) => path.includes('routing-client'))).toBe(true)
    expect(Object.keys(metafile.inputs).some((path) => path.includes('@helia/'))).toBe(true)
    expect(inputs.filter((path) => path.includes('@helia/'))).toEqual([])
  })
})
