import { type IncomingMessage, type ServerResponse, validateHeaderName, validateHeaderValue } from 'node:http'
import { httpRoutes } from '../../../src/node/http-routes.ts'
import { isLoopback, remoteIpOf } from '../../../src/node/remote-ip.ts'
import type { PeerEntry } from '../../../src/node/routing/peer-directory.ts'
import { parsePeerId } from '../../../src/node/routing/routing-key.ts'
import { routingRoutes } from '../../../src/node/routing/routing-routes.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { topicCid } from '../../../src/wire/topic-cid.ts'
import { NOW, TOPIC } from '../../support/authors.ts'
import { bytesOf, textOf } from '../support/input.ts'
import { stillRandom } from '../support/still-random.ts'
import { promise, type Target } from '../target.ts'

const PEER = '12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN'
const ENTRY: PeerEntry = { peerId: PEER, addresses: ['/ip4/192.0.2.1/tcp/1/ws', '/dns4/ws/udp/1/quic-v1'] }
const ANSWERED = [200, 204, 400, 404, 405, 422, 429, 501]
const BODY_MAX_BYTES = 64 * 1024

const clock = new ManualClock(NOW)
const directory = {
  providers: () => [ENTRY, { peerId: `${PEER}x`, addresses: [], protocols: ['transport-bitswap'] }],
  peer: (peerId: string) => (peerId === PEER ? ENTRY : undefined),
}
const facts = {
  info: () => ({ version: '1', peerId: PEER, multiaddrs: [], time: NOW, iceServers: [], peers: [] }),
  health: () => ({
    rooms: 0,
    connections: 0,
    reservations: 0,
    registrations: 0,
    nodes: 0,
    wills: 0,
    uptime: 0,
  }),
}
const routesAt = () => {
  const routing = routingRoutes({ directory, clock, random: stillRandom, trustProxy: true })
  return httpRoutes(() => facts, routing)
}
/** It has answered all requests before this one. */
const veteran = routesAt()

/** An HTTP request to a node: method, target, Accept and X-Forwarded-For, a line each. */
export const http: Target = {
  name: 'http',
  run(input) {
    const [method, url = '/', accept, forwarded] = textOf(input).split('\n')
    const headers = { accept, 'x-forwarded-for': forwarded }
    const request = {
      method,
      url,
      headers,
      socket: { remoteAddress: '192.0.2.9' },
    } as unknown as IncomingMessage
    isLoopback(remoteIpOf(request, true))
    parsePeerId(url)
    veteran(request, new Answer().asResponse)
    const answer = new Answer()
    routesAt()(request, answer.asResponse)
    promise(answer.ends === 1, 'each request has one answer')
    promise(ANSWERED.includes(answer.status), `nothing goes wrong over a request: ${answer.status}`)
    promise(answer.body.length <= BODY_MAX_BYTES, 'an answer is bounded')
    if (answer.type === 'application/json') JSON.parse(answer.body)
  },
  seeds: () => {
    const cid = topicCid(TOPIC).toString()
    const routing = '/routing/v1'
    return [
      ...[
        'GET\n/',
        'GET\n/healthz',
        'HEAD\n/.well-known/ghostchat.json',
        'OPTIONS\n/',
        'POST\n/x',
        'GET\n/nothing',
      ],
      `GET\n${routing}/providers/${cid}\napplication/x-ndjson`,
      `GET\n${routing}/providers/${cid}?filter-addrs=ws,!tcp&filter-protocols=unknown\napplication/json;q=0.5,*/*`,
      `GET\n${routing}/peers/${PEER}?filter-addrs=unknown\n*/*;q=0\n192.0.2.1, 2001:db8::1`,
      `HEAD\n${routing}/peers/Qm${'a'.repeat(44)}`,
      `GET\n${routing}/peers/bafzaajaiaejcaofxcmuubhhbgfs3w3qsjnjvvdpmhqc3nsdupujoyyufu2nbuw5l`,
      `GET\n${routing}/providers/%E2%82`,
      ...[
        `GET\n${routing}/ipns/x`,
        `GET\n${routing}/dht/closest/x`,
        `PUT\n${routing}/providers`,
        `GET\n${routing}`,
      ],
    ].map(bytesOf)
  },
  words: [
    ...[
      '/routing/v1/',
      'providers/',
      'peers/',
      '?filter-addrs=',
      '&filter-protocols=',
      '!',
      ',',
      '%20',
      'unknown',
    ],
    ...[
      'application/x-ndjson',
      'application/json',
      ';q=',
      '*/*',
      '\n',
      'GET',
      'HEAD',
      'OPTIONS',
      'bafkrei',
      'k51',
      '12D3KooW',
    ],
  ],
  maxBytes: 4_096,
  runs: 250_000,
}

/** As much of a response as is used. */
class Answer {
  status = 0
  ends = 0
  body = ''
  type = ''
  readonly headersSent = false
  #onClose = (): void => {}

  get asResponse(): ServerResponse {
    return this as unknown as ServerResponse
  }

  once(_event: 'close', listener: () => void): void {
    this.#onClose = listener
  }

  setHeader(name: string, value: string | number): void {
    validateHeaderName(name)
    validateHeaderValue(name, String(value))
    if (name === 'content-type') this.type = String(value)
  }

  writeHead(status: number, headers: Record<string, string | number> = {}): void {
    this.status = status
    for (const [name, value] of Object.entries(headers)) this.setHeader(name, value)
  }

  end(body = ''): void {
    this.ends += 1
    this.body += body
    this.#onClose()
  }
}
