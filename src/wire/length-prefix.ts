/** Four groups of seven bits: lengths below 256 MiB, more than anything that is sent here. */
const LENGTH_MAX_BYTES = 4

/**
 * The length that precedes a message, an unsigned varint, for `lpStream` of
 * `@libp2p/utils`. Its own decoder takes a length that never ends for one that is
 * not there yet, and gathers bytes for as long as somebody sends them.
 *
 * @throws RangeError while the length is incomplete, which is how `lpStream` knows; Error when it is none
 */
export function decodeLength(prefix: Uint8Array | { subarray(): Uint8Array }): number {
  const bytes = prefix.subarray()
  let length = 0
  for (const [index, byte] of bytes.entries()) {
    if (index === LENGTH_MAX_BYTES) break
    length += (byte & 0x7f) * 2 ** (7 * index)
    if (byte < 0x80) return length
  }
  if (bytes.length < LENGTH_MAX_BYTES) throw new RangeError('the length goes on')
  throw new Error('the length of a message is too long')
}
