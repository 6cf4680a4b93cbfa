import { once } from 'node:events'
import { createServer, request, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { httpRoutes, type NodeFacts } from '../../../src/node/http-routes.ts'
import { decodeNodeInfo } from '../../../src/wire/node-info.ts'
import { NOW, testPeerId } from '../../support/authors.ts'

const info = {
  iceServers: [{ urls: 'turn:turn.example:3478', username: '1', credential: 'x' }],
  peers: ['/ip4/127.0.0.1/tcp/2/ws'],
  stunPort: 8787,
  version: '1.2.3',
  peerId: testPeerId(1),
  multiaddrs: ['/ip4/127.0.0.1/tcp/1/ws'],
  time: NOW,
}
const health = { rooms: 1, connections: 2, reservations: 3, registrations: 5, nodes: 0, wills: 0, uptime: 4 }
let facts: NodeFacts | undefined
let server: Server
let url: string

beforeEach(async () => {
  facts = { info: () => info, health: () => health }
  server = createServer(httpRoutes(() => facts))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterEach(() => {
  server.closeAllConnections()
  return new Promise((resolve) => server.close(resolve))
})

describe('the HTTP side of a node', () => {
  it('describes the node', async () => {
    const response = await fetch(`${url}/.well-known/ghostchat.json`)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8')
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(decodeNodeInfo(await response.text())).toEqual(info)
  })

  it('hangs up on whoever asks without end and waits for no answer: others wait for all that is in one packet', async () => {
    const asked = vi.fn(() => health)
    facts = { info: () => info, health: asked }
    const { port, hostname } = new URL(url)
    const socket = connect(Number(port), hostname)
    const asking = 'GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n'
    for (let time = 1; time <= 20; time += 1) {
      socket.write(asking)
      await once(socket, 'data')
    }
    socket.write(asking.repeat(100))
    await once(socket, 'close')
    expect(asked.mock.calls.length - 20).toBeLessThanOrEqual(8)
  })

  it('takes no notice of a query', async () => {
    expect((await fetch(`${url}/.well-known/ghostchat.json?x=1`)).status).toBe(200)
  })

  it.each([
    ['http://node.example/healthz', 200],
    ['HTTPS://node.example:1?x=1', 200],
    ['http://node.example/nothing', 404],
  ])('takes a whole URL for the path it ends with: %s', async (target, status) => {
    const { port, hostname } = new URL(url)
    const asking = request({ port, hostname, path: target }).end()
    const [{ statusCode }] = await once(asking, 'response')
    expect(statusCode).toBe(status)
  })

  it('tells its health', async () => {
    expect(await (await fetch(`${url}/healthz`)).json()).toEqual({ status: 'ok', ...health })
  })

  it('says a word to whoever opens it in a browser', async () => {
    const response = await fetch(url)
    expect([response.status, response.headers.get('content-type')]).toEqual([
      200,
      'text/plain; charset=utf-8',
    ])
    expect(await response.text()).toContain('GhostNode')
  })

  it.each(['/nothing', '/healthz/', '/.well-known/', '//', '/..%2f', '/.well-known/ghostchat.json/..'])(
    'knows no %s',
    async (path) => {
      const status = await new Promise((resolve, reject) => {
        request(`${url}${path}`, (response) => {
          response.resume()
          resolve(response.statusCode)
        })
          .on('error', reject)
          .end()
      })
      expect(status).toBe(404)
    },
  )

  it.each(['/', '/healthz', '/.well-known/ghostchat.json', '/nothing'])(
    'may be read by every page: %s',
    async (path) => {
      const { headers } = await fetch(url + path)
      expect(headers.get('access-control-allow-origin')).toBe('*')
      expect(headers.get('access-control-allow-credentials')).toBeNull()
      expect(headers.get('x-content-type-options')).toBe('nosniff')
    },
  )

  it('answers a preflight', async () => {
    const response = await fetch(`${url}/.well-known/ghostchat.json`, { method: 'OPTIONS' })
    expect(response.status).toBe(204)
    expect(response.headers.get('access-control-allow-methods')).toBe('GET, HEAD, OPTIONS')
    expect(response.headers.get('access-control-allow-origin')).toBe('*')
  })

  it.each(['POST', 'PUT', 'DELETE', 'PATCH'])('answers 405 to %s', async (method) => {
    const response = await fetch(url, { method })
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS'])
  })

  it('answers HEAD without a body', async () => {
    const response = await fetch(`${url}/healthz`, { method: 'HEAD' })
    expect([response.status, await response.text()]).toEqual([200, ''])
  })

  it('answers 503 while it starts or stops, and preflights all the same', async () => {
    facts = undefined
    for (const path of ['/', '/healthz', '/.well-known/ghostchat.json'])
      expect((await fetch(url + path)).status).toBe(503)
    expect((await fetch(url, { method: 'OPTIONS' })).status).toBe(204)
  })
})
