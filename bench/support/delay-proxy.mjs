import { connect, createServer } from 'node:net'
import { now } from './worker.mjs'

/**
 * A TCP proxy that makes a distant place of a port of this machine: all data of a connection arrives later by
 * `oneWayMs`, in order. `setupRoundTrips` adds what a connection costs before its first byte: one for TCP, two for TCP
 * and TLS 1.3; the proxy itself accepts at once.
 */
export class DelayProxy {
  #server
  #sockets = new Set()
  /** Whether to note what passes. */
  isTracing = true
  /** What passed: `{ connection, direction: 'up' | 'down', bytes, at }`; `at` when it was sent. */
  trace = []
  connections = 0
  port = 0
  /** Where it leads; may be set later than the proxy is started, and before the first connection. */
  targetPort

  static async start({ targetPort, oneWayMs, setupRoundTrips = 0 }) {
    const proxy = new DelayProxy()
    proxy.targetPort = targetPort
    proxy.#server = createServer((client) => proxy.#serve(client, { oneWayMs, setupRoundTrips }))
    await new Promise((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve))
    proxy.port = proxy.#server.address().port
    return proxy
  }

  /** Forgets what passed. */
  clear() {
    this.trace = []
    this.connections = 0
  }

  get bytes() {
    return this.trace.reduce((total, { bytes }) => total + bytes, 0)
  }

  stop() {
    for (const socket of this.#sockets) socket.destroy()
    return new Promise((resolve) => this.#server.close(resolve))
  }

  #serve(client, { oneWayMs, setupRoundTrips }) {
    const connection = this.connections++
    const usableAt = now() + setupRoundTrips * 2 * oneWayMs
    const server = connect({ port: this.targetPort, host: '127.0.0.1' })
    this.#pipe(client, server, connection, 'up', oneWayMs, usableAt)
    this.#pipe(server, client, connection, 'down', oneWayMs, usableAt)
  }

  #pipe(from, to, connection, direction, oneWayMs, usableAt) {
    this.#sockets.add(from)
    from.setNoDelay(true)
    const later = (act) => {
      const ms = oneWayMs + Math.max(0, usableAt - now())
      if (ms === 0) act()
      else setTimeout(act, ms)
    }
    from.on('data', (data) => {
      if (this.isTracing) {
        this.trace.push({ connection, direction, bytes: data.length, at: Math.max(now(), usableAt) })
      }
      later(() => to.writable && to.write(data))
    })
    from.on('end', () => later(() => to.end()))
    from.on('error', () => later(() => to.destroy()))
    from.on('close', () => {
      this.#sockets.delete(from)
      later(() => to.destroy())
    })
  }
}
