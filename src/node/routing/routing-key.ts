import { peerIdFromCID, peerIdFromString } from '@libp2p/peer-id'
import { bases } from 'multiformats/basics'
import { CID } from 'multiformats/cid'

/** A key longer than this is none: a sha2-512 CID in base2 has 560 characters, and base58 takes quadratic time. */
const KEY_MAX_CHARACTERS = 600
const LIBP2P_KEY = 0x72

/** Every multibase but identity, which would take any text, and emoji, whose prefix multiformats does not find. */
const { identity: _identity, base256emoji: _emoji, ...prefixed } = bases
const multibase = Object.values(prefixed)
  .map(({ decoder }) => decoder)
  .reduce<typeof prefixed.base32.decoder>((all, decoder) => all.or(decoder) as never, prefixed.base32.decoder)

/** The CID in a text of any multibase, or `undefined` where it is malformed. */
export function parseCid(text: string): CID | undefined {
  if (text.length > KEY_MAX_CHARACTERS) return undefined
  try {
    return CID.parse(text, multibase)
  } catch {
    return undefined
  }
}

/**
 * The peer id in a text, in base58: a CIDv1 of a libp2p key in any multibase, or
 * a multihash in base58. `malformed` where it is neither a CID nor a multihash,
 * `no-peer` where it is a CID of something else.
 */
export function parsePeerId(text: string): string | 'malformed' | 'no-peer' {
  if (text.length > KEY_MAX_CHARACTERS) return 'malformed'
  const isMultihash = /^(?:1|Qm)/.test(text)
  const cid = isMultihash ? undefined : parseCid(text)
  if (!isMultihash && cid === undefined) return 'malformed'
  if (cid !== undefined && cid.code !== LIBP2P_KEY) return 'no-peer'
  try {
    const peerId = cid === undefined ? peerIdFromString(text) : peerIdFromCID(cid)
    // An identity multihash that holds no key may hold a URL, and libp2p takes that for a peer.
    return peerId.type === 'url' ? 'no-peer' : peerId.toString()
  } catch {
    return isMultihash ? 'malformed' : 'no-peer'
  }
}
