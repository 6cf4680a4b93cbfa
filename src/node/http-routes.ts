import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { NODE_INFO_PATH, type NodeInfo } from '../wire/node-info.ts'
import { ROUTING_PATH } from './routing/routing-routes.ts'

/** What the HTTP side of a node answers from. */
export interface NodeFacts {
  info(): NodeInfo
  /** Counts, and the seconds since it was started. */
  health(): Record<
    'rooms' | 'connections' | 'reservations' | 'registrations' | 'nodes' | 'wills' | 'uptime',
    number
  >
}

/**
 * How many requests of one connection may wait for their answers. Clients and proxies ask one after the other; what comes in one
 * packet is answered before anything else happens, and 64 KiB hold more than a thousand.
 */
const WAITING_MAX = 8

/**
 * Answers HTTP requests to a node: its description, its health, delegated
 * routing, and a word to whoever opens it in a browser.
 */
export function httpRoutes(facts: () => NodeFacts | undefined, routing?: RequestListener): RequestListener {
  const waiting = new WeakMap<Socket, number>()
  return (request, response) => {
    const { socket } = request
    const count = (waiting.get(socket) ?? 0) + 1
    waiting.set(socket, count)
    if (count > WAITING_MAX) {
      socket.destroy()
      return
    }
    // RFC 9112 §3.2.2: a whole URL in its place is as good as a path.
    request.url = request.url?.replace(/^https?:\/\/[^/?]*\/?/i, '/')
    response.once('close', () => waiting.set(socket, (waiting.get(socket) ?? 1) - 1))
    response.setHeader('x-content-type-options', 'nosniff')
    // Every page may read this: it is the same for all and says nothing about users.
    response.setHeader('access-control-allow-origin', '*')
    if (request.method === 'OPTIONS') {
      preflight(response)
      return
    }
    const known = facts()
    if (known !== undefined && routing !== undefined && isRouting(request)) {
      routing(request, response)
      return
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD, OPTIONS')
      sendText(response, 405, 'only GET, HEAD and OPTIONS\n')
      return
    }
    if (known === undefined) sendText(response, 503, 'starting or stopping\n')
    else answer(request, response, known)
  }
}

function isRouting({ url = '' }: IncomingMessage): boolean {
  const [path = ''] = url.split('?')
  return path === ROUTING_PATH || path.startsWith(`${ROUTING_PATH}/`)
}

/** Whatever goes wrong here must not end the process. */
function answer(request: IncomingMessage, response: ServerResponse, facts: NodeFacts): void {
  try {
    route(request, response, facts)
  } catch {
    if (!response.headersSent) sendText(response, 500, 'the request failed\n')
    else response.destroy()
  }
}

function route(request: IncomingMessage, response: ServerResponse, facts: NodeFacts): void {
  const [path] = (request.url ?? '/').split('?')
  switch (path) {
    case NODE_INFO_PATH:
      sendJson(response, facts.info())
      break
    case '/healthz':
      sendJson(response, { status: 'ok', ...facts.health() })
      break
    case '/':
      sendText(response, 200, 'This is a GhostNode: https clients and WebSockets are welcome here.\n')
      break
    default:
      sendText(response, 404, 'not found\n')
      break
  }
}

function preflight(response: ServerResponse): void {
  response.writeHead(204, {
    'access-control-allow-methods': 'GET, HEAD, OPTIONS',
    'access-control-allow-headers': 'accept, cache-control, pragma',
    'access-control-max-age': '86400',
  })
  response.end()
}

function sendJson(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' })
  response.end(`${JSON.stringify(value)}\n`)
}

function sendText(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' })
  response.end(text)
}
