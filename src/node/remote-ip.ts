import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'

/**
 * The address of whoever sent a request. Behind a proxy that is trusted to say
 * so, the last entry of `X-Forwarded-For`: the one the proxy itself wrote.
 */
export function remoteIpOf(request: IncomingMessage, trustProxy: boolean): string {
  const direct = request.socket.remoteAddress ?? '0.0.0.0'
  if (!trustProxy) return direct
  const header = [request.headers['x-forwarded-for'] ?? []].flat().at(-1)
  const forwarded = header?.split(',').at(-1)?.trim() ?? ''
  return isIP(forwarded) === 0 ? direct : forwarded
}

/** Whether an address is this machine's own. */
export function isLoopback(ip: string): boolean {
  return ip.startsWith('127.') || ip === '::1' || ip.startsWith('::ffff:127.')
}
