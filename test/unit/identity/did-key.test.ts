import { base58btc } from 'multiformats/bases/base58'
import { describe, expect, it } from 'vitest'
import { didOf, publicKeyOf } from '../../../src/identity/did-key.ts'
import { testAuthor } from '../../support/authors.ts'

/** Vectors of the did:key specification: DID and public key. */
const VECTORS = [
  [
    'did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK',
    '2e6fcce36701dc791488e0d0b1745cc1e33a4c1c9fcc41c63bd343dbbe0970e6',
  ],
  [
    'did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp',
    '3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29',
  ],
] as const

describe('did:key', () => {
  it.each(VECTORS)('%s', (did, key) => {
    expect(Buffer.from(publicKeyOf(did) ?? []).toString('hex')).toBe(key)
    expect(didOf(Buffer.from(key, 'hex'))).toBe(did)
  })

  const { did } = testAuthor(1)
  const bytes = base58btc.decode(did.slice('did:key:'.length))
  const encoded = (changed: Uint8Array): string => `did:key:${base58btc.encode(changed)}`

  it.each([
    ['nothing', ''],
    ['another method', did.replace('did:key', 'did:web')],
    ['capitals in the method', did.replace('did:key', 'DID:KEY')],
    ['a fragment', `${did}#${did.slice(8)}`],
    ['a query', `${did}?a`],
    ['a line feed', `${did}\n`],
    ['a zero before the value', did.replace(':z', ':z1')],
    ['a character outside the alphabet', did.replace(/.$/, '0')],
    ['another base', `did:key:u${Buffer.from(bytes).toString('base64url')}`],
    ['a key of 31 bytes', encoded(bytes.subarray(0, -1))],
    ['a key of 33 bytes', encoded(new Uint8Array([...bytes, 0]))],
    ['a secp256k1 key', 'did:key:zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme'],
    ['an X25519 key', 'did:key:z6LSeu9HkTHSfLLeUs2nnzUSNedgDUevfNQgQjQC23ZCit6F'],
    ['another multicodec of the same length', encoded(new Uint8Array([0xec, ...bytes.subarray(1)]))],
    [
      'a longer varint of the same multicodec',
      encoded(new Uint8Array([0xed, 0x81, 0x00, ...bytes.subarray(2)])),
    ],
  ])('refuses %s', (_what, text) => {
    expect(publicKeyOf(text)).toBeUndefined()
  })
})
