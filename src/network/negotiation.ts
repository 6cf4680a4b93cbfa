import type {
  Connection,
  ConnectionGater,
  Libp2p,
  MultiaddrConnection,
  Stream,
  StreamMuxer,
} from '@libp2p/interface'

/**
 * Bounds what libp2p says before a protocol is agreed on. It answers each name of a protocol that it does not speak, in
 * microtasks and without end: 200 KB of names of one letter keep it from everything else for two seconds, and whoever is
 * reached through a relay does that for strangers. What it says is counted, not what it hears: behind the name
 * of its protocol a peer may send what it likes.
 */

/** How often it speaks until a connection stands: hello, noise, its part of the handshake, hello, yamux. */
const UPGRADE_ANSWERS_MAX = 32
/** How many answers a peer may have on one connection for streams that agreed on nothing: they take some milliseconds. */
const WASTED_ANSWERS_MAX = 256
/** How many a stream that did agree may have had: being opened counts as one, a hello, and an answer to each of a few versions. */
const STREAM_ANSWERS = 9
/** How often yamux is pinged at once, and a second from then on: it answers each time, before anything else happens. */
const PINGS_BURST = 64
const PINGS_PER_SECOND = 1

/** What yamux's class has and the interface of muxers does not. */
type Muxer = StreamMuxer & { handlePing?: (header: unknown) => void }

/** For connections on their way to stand. */
export const negotiationGater: Pick<ConnectionGater, 'denyInboundConnection'> = {
  denyInboundConnection(connection: MultiaddrConnection) {
    let answers = 0
    countSends(connection, () => {
      answers += 1
      if (answers > UPGRADE_ANSWERS_MAX) connection.abort(new Error('agrees on no protocol'))
    })
    return false
  },
}

/** For the streams that peers open on connections. */
export function boundNegotiation(libp2p: Libp2p): void {
  libp2p.addEventListener('connection:open', ({ detail }) => {
    // Private in its class. A listener that comes before libp2p's own would take streams from it.
    const connection = detail as Connection & { muxer?: Muxer; maConn: MultiaddrConnection }
    // The method of its class is back. Not sooner: its muxer reads what came behind the handshake before anybody hears of it.
    Reflect.deleteProperty(connection.maConn, 'send')
    endWithMuxer(connection)
    boundPings(connection)
    const answers = new Map<Stream, number>()
    let wasted = 0
    connection.muxer?.addEventListener('stream', ({ detail: stream }) => {
      for (const [earlier, count] of answers) {
        if (earlier.protocol === '') continue
        answers.delete(earlier)
        wasted -= Math.min(count, STREAM_ANSWERS)
      }
      const count = (): void => {
        if (stream.protocol !== '') return
        answers.set(stream, (answers.get(stream) ?? 0) + 1)
        wasted += 1
        if (wasted > WASTED_ANSWERS_MAX) connection.abort(new Error('agrees on no protocol'))
      }
      // To take it up is more work than an answer: whoever opens and resets streams hears none.
      count()
      countSends(stream, count)
    })
  })
}

/**
 * Ends a connection whose muxer gives up: over streams that came before anybody listened, or because the other side says that
 * it does. By itself it would go on reading, and refuse each further stream, which nobody counts.
 */
function endWithMuxer({ maConn, muxer }: Connection & { muxer?: Muxer; maConn: MultiaddrConnection }): void {
  if (muxer === undefined) return
  const { abort } = muxer
  muxer.abort = (error) => {
    abort.call(muxer, error)
    maConn.abort(error)
  }
  if (muxer.status !== 'open') maConn.abort(new Error('opens streams too early'))
}

/** Whoever pings and does not read what comes back would also have it gathered here without end. */
function boundPings(connection: Connection & { muxer?: Muxer }): void {
  const { muxer } = connection
  const handlePing = muxer?.handlePing
  if (muxer === undefined || handlePing === undefined) return
  const since = performance.now()
  let pings = 0
  muxer.handlePing = (header) => {
    pings += 1
    if (pings <= PINGS_BURST + ((performance.now() - since) / 1000) * PINGS_PER_SECOND)
      handlePing.call(muxer, header)
    else connection.abort(new Error('pings too much'))
  }
}

function countSends(stream: Pick<Stream, 'send'>, count: () => void): void {
  const { send } = stream
  stream.send = (data) => {
    count()
    return send.call(stream, data)
  }
}
