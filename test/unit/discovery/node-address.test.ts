import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { fetchNodeInfo, parseNode } from '../../../src/discovery/node-address.ts'
import { NOW } from '../../support/authors.ts'
import { codeOf } from '../../support/world.ts'

let peerId: string

beforeAll(async () => {
  peerId = peerIdFromPrivateKey(await generateKeyPair('Ed25519')).toString()
})

describe('an entry of nodes', () => {
  it.each([
    ['https://node.example', 'https://node.example/'],
    ['http://localhost:8787', 'http://localhost:8787/'],
    ['http://[::1]:8787/base/', 'http://[::1]:8787/base/'],
    ['HTTPS://NODE.EXAMPLE:443', 'https://node.example/'],
  ])('may be the URL %s', (entry, href) => {
    const node = parseNode(entry)
    expect(node.kind === 'url' && node.url.href).toBe(href)
  })

  it('may be a multiaddr with a peer id', () => {
    for (const prefix of [
      '/ip4/192.0.2.1/tcp/1/ws',
      '/dns4/node.example/tcp/443/tls/ws',
      '/ip6/::1/tcp/1/ws',
    ]) {
      const node = parseNode(`${prefix}/p2p/${peerId}`)
      expect(node.kind === 'multiaddr' && node.address.toString()).toBe(`${prefix}/p2p/${peerId}`)
    }
  })

  it.each([
    [''],
    ['node.example'],
    ['node.example:8787'],
    ['ws://node.example'],
    ['wss://node.example'],
    ['ftp://node.example'],
    ['file:///etc/passwd'],
    ['javascript:alert(1)'],
    ['https://'],
    ['http://node example'],
    ['/'],
    ['/ip4/192.0.2.1/tcp/1/ws'],
    ['/ip4/300.0.0.1/tcp/1/ws/p2p/x'],
    ['/nothing/like/this'],
    ['/ip4/192.0.2.1/tcp/1/ws/p2p/12D3'],
    [undefined],
    [null],
    [7],
    [{}],
    [new URL('https://node.example')],
  ])('is not %j', async (entry) => {
    expect(await codeOf(() => parseNode(entry))).toBe('invalid-node')
  })

  it('is not a circuit to somebody behind a node', async () => {
    expect(await codeOf(() => parseNode(`/ip4/192.0.2.1/tcp/1/ws/p2p/${peerId}/p2p-circuit`))).toBe(
      'invalid-node',
    )
  })
})

describe('asking a node for its description', () => {
  let server: Server
  let answer: RequestListener
  let base: string
  let port: number

  beforeEach(async () => {
    server = createServer((request, response) => answer(request, response))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    port = (server.address() as AddressInfo).port
    base = `http://127.0.0.1:${port}`
  })
  afterEach(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })

  const never = new AbortController().signal
  const info = (): object => ({
    version: '1.2.3',
    peerId,
    multiaddrs: [],
    iceServers: [],
    peers: [],
    time: NOW,
  })
  const says =
    (body: string, status = 200): RequestListener =>
    (_request, response) => {
      response.writeHead(status).end(body)
    }
  const ask = (path = '', signal = never): ReturnType<typeof fetchNodeInfo> =>
    fetchNodeInfo(new URL(base + path), signal)

  it('finds it below the URL, and dials the URL itself', async () => {
    const asked: (string | undefined)[] = []
    answer = (request, response) => {
      asked.push(request.url)
      response.end(JSON.stringify(info()))
    }
    const { addresses, info: answered } = await ask()
    expect(answered).toEqual(info())
    expect(addresses.map(String)).toEqual([`/ip4/127.0.0.1/tcp/${port}/ws`])
    await ask('/base')
    await ask('/base/')
    expect(asked).toEqual([
      '/.well-known/ghostchat.json',
      '/base/.well-known/ghostchat.json',
      '/base/.well-known/ghostchat.json',
    ])
  })

  it('below a path dials what the node names for its own peer id', async () => {
    const named = [`/dns4/node.example/tcp/443/tls/ws/p2p/${peerId}`, '/ip4/192.0.2.1/tcp/1/ws', 'rubbish']
    answer = says(JSON.stringify({ ...info(), multiaddrs: named }))
    expect((await ask('/base')).addresses.map(String)).toEqual([named[0]])
    expect((await ask()).addresses).toHaveLength(1)
  })

  it('below a path takes no notice of an address that is none', async () => {
    const named = [
      `rubbish/p2p/${peerId}`,
      `/ip4/300.0.0.1/tcp/1/ws/p2p/${peerId}`,
      `/ip4/192.0.2.1/tcp/1/ws/p2p/${peerId}`,
    ]
    answer = says(JSON.stringify({ ...info(), multiaddrs: named }))
    expect((await ask('/base')).addresses.map(String)).toEqual([named[2]])
  })

  it.each([
    ['not found', '', 404],
    ['a broken proxy', '<html>', 502],
    ['another site', '<html>', 200],
    ['nothing', '', 200],
    ['other JSON', '{"name":"x"}', 200],
    ['a malformed peer id', '{"version":"1","peerId":"12D3","multiaddrs":[],"time":1}', 200],
    ['a peer id that is a path', '{"version":"1","peerId":"../p2p/x","multiaddrs":[],"time":1}', 200],
  ])('%s is no node', async (_what, body, status) => {
    answer = says(body, status)
    expect(await codeOf(() => ask())).toBe('node-unreachable')
  })

  it('reads 16 KiB and not more', async () => {
    let closed = false
    answer = (_request, response) => {
      response.on('close', () => {
        closed = true
      })
      const more = (): void => {
        while (!response.destroyed && response.write('x'.repeat(1_024)));
        response.once('drain', more)
      }
      more()
    }
    expect(await codeOf(() => ask())).toBe('node-unreachable')
    await expect.poll(() => closed).toBe(true)
  })

  it('takes a description of just 16 KiB', async () => {
    const room = 16 * 1024 - JSON.stringify({ ...info(), motd: '' }).length
    answer = says(JSON.stringify({ ...info(), motd: 'x'.repeat(room) }))
    expect((await ask()).info).toEqual(info())
    answer = says(JSON.stringify({ ...info(), motd: 'x'.repeat(room + 1) }))
    expect(await codeOf(() => ask())).toBe('node-unreachable')
  })

  it('follows no redirect', async () => {
    answer = (_request, response) => {
      response.writeHead(302, { location: `${base}/elsewhere` }).end()
    }
    await expect(ask()).rejects.toThrow()
  })

  it('sends no cookies or credentials, and asks for JSON', async () => {
    let headers: unknown
    answer = (request, response) => {
      headers = request.headers
      response.end(JSON.stringify(info()))
    }
    await ask()
    expect(headers).toMatchObject({ accept: 'application/json' })
    expect(headers).not.toHaveProperty('cookie')
    expect(headers).not.toHaveProperty('authorization')
  })

  it('ends with its signal', async () => {
    answer = () => {}
    const controller = new AbortController()
    const asking = ask('', controller.signal)
    const reason = new Error('given up')
    controller.abort(reason)
    expect(await codeOf(() => asking)).toBe(reason)
  })

  it('rejects where nobody listens', async () => {
    const closed = createServer()
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve))
    const url = new URL(`http://127.0.0.1:${(closed.address() as AddressInfo).port}`)
    await new Promise((resolve) => closed.close(resolve))
    await expect(fetchNodeInfo(url, never)).rejects.toThrow()
  })
})
