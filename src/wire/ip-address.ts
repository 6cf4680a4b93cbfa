const BYTE = /^(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)$/
const GROUP = /^[\da-f]{1,4}$/i
/** ::ffff:0:0/96, IPv4 addresses as an IPv6 socket shows them (RFC 4291 §2.5.5.2). */
const MAPPED_PREFIX = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]

/**
 * The bytes of an IP address: 4 for IPv4, and for IPv4 inside IPv6
 * (`::ffff:192.0.2.1`), else 16. A zone (`%eth0`) is left out. Answers
 * `undefined` for a text that is no address.
 */
export function ipBytes(text: string): Uint8Array | undefined {
  if (!text.includes(':')) return parseIpv4(text)
  const bytes = parseIpv6(text.replace(/%.*$/s, ''))
  const isMapped = bytes !== undefined && MAPPED_PREFIX.every((byte, at) => bytes[at] === byte)
  return isMapped ? bytes.subarray(12) : bytes
}

function parseIpv4(text: string): Uint8Array | undefined {
  const parts = text.split('.')
  if (parts.length !== 4 || !parts.every((part) => BYTE.test(part))) return undefined
  return Uint8Array.from(parts, Number)
}

function parseIpv6(text: string): Uint8Array | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const head = groupBytes(halves[0] ?? '', halves.length === 1)
  const tail = groupBytes(halves[1] ?? '', true)
  if (head === undefined || tail === undefined) return undefined
  const missing = 16 - head.length - tail.length
  // Without `::` nothing may be missing; with it, one group at least.
  if (halves.length === 1 ? missing !== 0 : missing < 2) return undefined
  return Uint8Array.from([...head, ...Array<number>(missing).fill(0), ...tail])
}

/** The bytes of groups between colons; the last one may be an IPv4 address where the text ends there. */
function groupBytes(text: string, isEnd: boolean): number[] | undefined {
  if (text === '') return []
  const groups = text.split(':')
  const bytes: number[] = []
  for (const [at, group] of groups.entries()) {
    if (GROUP.test(group)) {
      const number = Number.parseInt(group, 16)
      bytes.push(number >> 8, number & 0xff)
      continue
    }
    const dotted = isEnd && at === groups.length - 1 ? parseIpv4(group) : undefined
    if (dotted === undefined) return undefined
    bytes.push(...dotted)
  }
  return bytes
}
