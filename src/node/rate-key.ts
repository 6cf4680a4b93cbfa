import { ipBytes } from '../wire/ip-address.ts'

/**
 * The key of an IP address: IPv4 as it is, IPv6 by its /64, which is what one
 * household or server gets and can choose addresses from.
 */
export function rateKeyOf(ip: string): string {
  if (!ip.includes(':')) return ip
  const bytes = ipBytes(ip)
  return bytes === undefined ? ip : bytes.subarray(0, 8).join('.')
}
