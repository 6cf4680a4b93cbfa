import { createReadStream } from 'node:fs'
import { realpath, stat } from 'node:fs/promises'
import { createServer } from 'node:http'
import { extname, join, sep } from 'node:path'

const contentTypes = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.webmanifest': 'application/manifest+json; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.webp': 'image/webp',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
}

/** Nothing inline, nothing from elsewhere; connections may go to any node the page is told of. */
const headers = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self' ws: wss: http: https:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-cache',
}

/**
 * Serves one folder of files over HTTP, the way the chat page wants to be served anywhere: with a strict
 * Content-Security-Policy. `/config.json` is made by `config`, which tells the page its nodes.
 *
 * @param {object} options
 * @param {string} options.directory the folder; nothing outside it and no dot file is served
 * @param {number} [options.port] 0, the default, takes a free one
 * @param {string} [options.host] the address to listen on, by default this machine only; `''` is every address
 * @param {object | ((hostname: string) => object)} [options.config] the content of `/config.json`, or a function
 *   of the host name the page was asked under
 * @returns {Promise<{ url: string, port: number, close(): Promise<void> }>}
 */
export async function serveStatic({ directory, port = 0, host = 'localhost', config }) {
  const base = await realpath(directory)
  const server = createServer((request, response) => {
    answer(request, response, base, config).catch(() => end(response, 500, 'Internal error'))
  })
  await new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, ...(host === '' ? {} : { host }) }, resolve)
  })
  const actualPort = server.address().port
  const close = () =>
    new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  return { url: `http://${host === '' ? 'localhost' : host}:${actualPort}`, port: actualPort, close }
}

async function answer(request, response, base, config) {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD')
    return end(response, 405, 'Method not allowed')
  }
  const path = requestedPath(request.url)
  if (path === undefined) return end(response, 400, 'Bad request')
  if (path === '/config.json' && config !== undefined) {
    const content = typeof config === 'function' ? config(hostname(request.headers.host)) : config
    return end(response, 200, JSON.stringify(content), {
      'content-type': contentTypes['.json'],
      'cache-control': 'no-store',
    })
  }
  const file = await find(base, path)
  if (file === undefined) return end(response, 404, 'Not found')
  response.writeHead(200, {
    ...headers,
    'content-type': contentTypes[extname(file.path).toLowerCase()] ?? 'application/octet-stream',
    'content-length': file.size,
  })
  if (request.method === 'HEAD') return response.end()
  const stream = createReadStream(file.path)
  stream.on('error', () => response.destroy())
  response.on('close', () => stream.destroy())
  stream.pipe(response)
}

function end(response, status, body, more = {}) {
  if (response.headersSent) return response.destroy()
  response.writeHead(status, { ...headers, 'content-type': contentTypes['.txt'], ...more })
  response.end(response.req.method === 'HEAD' ? undefined : body)
}

function requestedPath(url) {
  try {
    const path = decodeURIComponent(url.split('?', 1)[0])
    return path.startsWith('/') && !path.includes('\0') && !path.includes('\\') ? path : undefined
  } catch {
    return undefined
  }
}

/** The name in a Host header, without its port; whatever is not a host name is `localhost`. */
function hostname(header) {
  try {
    return new URL(`http://${header}`).hostname || 'localhost'
  } catch {
    return 'localhost'
  }
}

async function find(base, path) {
  if (path.split('/').some((part) => part.startsWith('.'))) return undefined
  try {
    const real = await realpath(join(base, path.endsWith('/') ? `${path}index.html` : path))
    const info = await stat(real)
    return real.startsWith(base + sep) && info.isFile() ? { path: real, size: info.size } : undefined
  } catch {
    return undefined
  }
}
