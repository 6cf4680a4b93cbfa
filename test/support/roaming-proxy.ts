import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

/**
 * A way to a server that can change, as when a phone goes from one network to
 * another: whoever comes over it loses its connection, and the server is not told.
 */
export class RoamingProxy {
  readonly #server: Server
  readonly #pairs = new Set<{ client: Socket; upstream: Socket }>()
  /** The server's ends that nobody uses any more. */
  readonly #abandoned = new Set<Socket>()

  private constructor(targetPort: number) {
    this.#server = createServer((client) => {
      const pair = { client, upstream: connect(targetPort, '127.0.0.1') }
      this.#pairs.add(pair)
      for (const [from, to] of [
        [client, pair.upstream],
        [pair.upstream, client],
      ] as const) {
        from.on('data', (bytes) => to.write(bytes))
        from.on('error', () => {})
        from.on('close', () => {
          if (this.#pairs.delete(pair)) to.destroy()
        })
      }
    })
  }

  static async start(targetPort: number): Promise<RoamingProxy> {
    const proxy = new RoamingProxy(targetPort)
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port
  }

  /** Everybody loses its connection. The server keeps its ends of them, and nothing comes or goes there. */
  roam(): void {
    for (const pair of this.#pairs) {
      this.#pairs.delete(pair)
      pair.upstream.pause()
      pair.client.destroy()
      this.#abandoned.add(pair.upstream)
    }
  }

  close(): void {
    for (const { client, upstream } of this.#pairs) {
      client.destroy()
      upstream.destroy()
    }
    for (const socket of this.#abandoned) socket.destroy()
    this.#server.close()
  }
}
