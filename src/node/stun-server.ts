import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import { type Clock, systemClock } from '../clock.ts'
import { describe, GhostChatError } from '../errors.ts'
import { RateLimit } from '../gate/rate-limit.ts'
import type { Logger } from '../logger.ts'
import { ipBytes } from '../wire/ip-address.ts'
import { decodeStunRequest, encodeStunAnswer } from '../wire/stun.ts'
import { rateKeyOf } from './rate-key.ts'

/** A running STUN server. */
export interface StunServer {
  /** The IP address it is bound to. */
  readonly address: string
  /** The UDP port it is bound to. */
  readonly port: number
  /** How many requests it has answered. */
  readonly answered: number
  /** Closes its socket. Idempotent. */
  stop(): Promise<void>
}

/**
 * One address may ask 200 times at once and then 50 times a second: an office
 * of 50 people who all open a room, four requests each. With a forged source it
 * is also the most that is sent to a victim: 50 × 52 bytes a second.
 */
const PER_IP = { burst: 200, perSecond: 50, maxKeys: 10_000 }
/** Over all addresses, since sources can be forged: at most 520 kB/s leave the node. */
const IN_ALL = { burst: 20_000, perSecond: 10_000, maxKeys: 1 }
/** Answers that wait in the socket beyond this are not sent: the network is gone, and who asked will ask again. */
const SEND_QUEUE_MAX_BYTES = 1024 * 1024

/** Decides what is answered to a datagram, and how often. */
export class StunResponder {
  readonly #perIp: RateLimit
  readonly #inAll: RateLimit

  constructor(clock: Clock) {
    this.#perIp = new RateLimit({ clock, ...PER_IP })
    this.#inAll = new RateLimit({ clock, ...IN_ALL })
  }

  /** The answer to a datagram from an address, or `undefined` where there is none. */
  answer(datagram: Uint8Array, { address, port }: { address: string; port: number }): Uint8Array | undefined {
    const request = decodeStunRequest(datagram)
    const ip = ipBytes(address)
    // Port 0 can be forged and cannot be sent to.
    if (request === undefined || ip === undefined || port === 0) return undefined
    // In this order: one address that asks too much costs the others nothing.
    if (this.#perIp.take(rateKeyOf(address)) > 0 || this.#inAll.take('') > 0) return undefined
    return encodeStunAnswer(request, ip, port)
  }
}

/**
 * Starts a STUN server on UDP: browsers behind a NAT learn from it under which
 * address the world sees them, which they need to connect to each other.
 *
 * @throws `node-failed` where the port is taken or the address is not this machine's
 */
export async function createStunServer(options: {
  /** The IP address to listen at; `::` is IPv6 and IPv4. */
  host: string
  /** The UDP port; 0 takes a free one. */
  port: number
  logger: Logger
  clock?: Clock
}): Promise<StunServer> {
  const { host, port, logger, clock = systemClock } = options
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4')
  await bind(socket, host, port)
  return serveStun(socket, new StunResponder(clock), logger)
}

/** Answers on a socket that is bound. */
export function serveStun(socket: Socket, responder: StunResponder, logger: Logger): StunServer {
  const { address, port } = socket.address()
  let answered = 0
  let stopped: Promise<void> | undefined
  const failed = (thrown: unknown): void => logger.debug('a STUN answer was not sent', describe(thrown))
  socket.on('error', (error) => logger.warn('the STUN socket failed', describe(error)))
  socket.on('message', (datagram: Uint8Array, source: RemoteInfo) => {
    const answer = responder.answer(datagram, source)
    if (answer === undefined || socket.getSendQueueSize() > SEND_QUEUE_MAX_BYTES) return
    try {
      socket.send(answer, source.port, source.address, (error) => {
        if (error) failed(error)
      })
      answered += 1
    } catch (thrown) {
      failed(thrown)
    }
  })
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      socket.close(resolve)
    })
  return {
    address,
    port,
    get answered() {
      return answered
    },
    stop: () => (stopped ??= stop()),
  }
}

function bind(socket: Socket, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', (cause: NodeJS.ErrnoException) => {
      const taken = cause.code === 'EADDRINUSE' ? 'the port is taken' : describe(cause)
      const message = `unable to listen for STUN at ${host} UDP port ${port}; ${taken}`
      socket.close()
      reject(new GhostChatError('node-failed', message, { cause }))
    })
    socket.bind({ port, address: host }, () => {
      socket.removeAllListeners('error')
      resolve()
    })
  })
}
