import { registerHooks } from 'node:module'
import type { Connection, Libp2p, PrivateKey, Stream } from '@libp2p/interface'
import { messageStreamToDuplex } from '@libp2p/utils'
import { RENDEZVOUS_PROTOCOL } from '../../src/wire/rendezvous.ts'

/**
 * The rendezvous client and server of `@canvas-js/libp2p-rendezvous`, which are for libp2p 2, on nodes of libp2p 3.
 * Their code is as published. Two things are different: streams are passed to them as the duplexes they were before,
 * and they speak under the name of the spec instead of `/canvas/rendezvous/1.0.0`.
 */

type Components = Record<'registrar' | 'connectionManager' | 'addressManager' | 'peerStore', object> & {
  privateKey: PrivateKey
}

/** What their client offers while it is connected to a point. */
interface CanvasPoint {
  register(namespace: string, options?: { ttl?: number }): Promise<{ ttl: number }>
  unregister(namespace: string): Promise<void>
  discover(namespace: string, options?: { limit?: number }): Promise<{ id: { toString(): string } }[]>
}

/** Their client on a node, for one conversation with a point at the other end of a connection. */
export async function withCanvasClient<T>(
  libp2p: Libp2p,
  connection: Connection,
  talk: (point: CanvasPoint) => Promise<T>,
): Promise<T> {
  const { RendezvousClient, rendezvousClient } = await import('@canvas-js/libp2p-rendezvous/client')
  RendezvousClient.protocol = RENDEZVOUS_PROTOCOL
  const { privateKey, addressManager } = componentsOf(libp2p)
  const openConnection = async () => ({
    id: connection.id,
    remotePeer: connection.remotePeer,
    newStream: async (protocol: string) => oldStream(await connection.newStream(protocol)),
  })
  const client = rendezvousClient({ autoDiscover: false })({
    peerId: libp2p.peerId,
    privateKey,
    addressManager,
    peerStore: libp2p.peerStore,
    events: new EventTarget(),
    registrar: { register: async () => 'topology', unregister() {} },
    connectionManager: { openConnection },
  } as never)
  await client.beforeStart()
  client.start()
  try {
    return await client.connect(connection.remoteAddr as never, (point) =>
      talk(point as unknown as CanvasPoint),
    )
  } finally {
    client.beforeStop()
    client.stop()
  }
}

/** Their server on a node, with its database in memory. Answers how to stop it. */
export async function startCanvasServer(libp2p: Libp2p): Promise<() => Promise<void>> {
  provideSqlite()
  const { RendezvousServer, rendezvousServer } = await import('@canvas-js/libp2p-rendezvous/server')
  RendezvousServer.protocol = RENDEZVOUS_PROTOCOL
  type OldHandler = (incoming: { stream: object; connection: Connection }) => void
  const registrar = {
    handle: (protocol: string, handler: OldHandler) =>
      libp2p.handle(protocol, (stream, connection) => handler({ stream: oldStream(stream), connection })),
    unhandle: (protocol: string) => libp2p.unhandle(protocol),
  }
  const server = rendezvousServer()({ registrar, peerStore: libp2p.peerStore } as never)
  await server.beforeStart()
  await server.start()
  return async () => {
    await server.beforeStop()
    await server.stop()
  }
}

function componentsOf(libp2p: Libp2p): Components {
  return (libp2p as Libp2p & { components: Components }).components
}

function oldStream(stream: Stream): object {
  return {
    ...messageStreamToDuplex(stream),
    id: stream.id,
    close: () => stream.close(),
    abort: (error: Error) => stream.abort(error),
  }
}

let isProvided = false

/** `better-sqlite3` is a native addon that is built on installation, if it can be: Node's own SQLite takes its place. */
function provideSqlite(): void {
  if (isProvided) return
  isProvided = true
  const source = `
    import { DatabaseSync } from 'node:sqlite'
    export default class Database {
      #database
      constructor(path) { this.#database = new DatabaseSync(path) }
      defaultSafeIntegers() {}
      exec(sql) { this.#database.exec(sql) }
      prepare(sql) {
        const statement = this.#database.prepare(sql)
        statement.setReadBigInts(true)
        return statement
      }
      close() { this.#database.close() }
    }`
  const url = `data:text/javascript,${encodeURIComponent(source)}`
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === 'better-sqlite3'
        ? { url, format: 'module', shortCircuit: true }
        : next(specifier, context),
  })
}
