/** Whether this platform's WebCrypto signs and verifies by Ed25519. Asked once. */
export const supportsEd25519 = once('Ed25519', ['sign', 'verify'])

/** Whether this platform's WebCrypto has X25519. Asked once. */
export const supportsX25519 = once('X25519', ['deriveBits'])

function once(algorithm: string, usages: KeyUsage[]): () => Promise<boolean> {
  let answer: Promise<boolean> | undefined
  return () => {
    answer ??= probe(algorithm, usages)
    return answer
  }
}

async function probe(algorithm: string, usages: KeyUsage[]): Promise<boolean> {
  try {
    return 'privateKey' in (await crypto.subtle.generateKey(algorithm, false, usages))
  } catch {
    return false
  }
}

/** The last arc of the algorithm's object identifier, 1.3.101.n (RFC 8410 §3). */
const ED25519_ARC = 112
const X25519_ARC = 110

/** DER of a PKCS #8 private key (RFC 8410 §7). */
function pkcs8(arc: number, key: Uint8Array): Uint8Array<ArrayBuffer> {
  const prefix = [
    0x30,
    0x2e,
    0x02,
    0x01,
    0x00,
    0x30,
    0x05,
    0x06,
    0x03,
    0x2b,
    0x65,
    arc,
    0x04,
    0x22,
    0x04,
    0x20,
  ]
  return new Uint8Array([...prefix, ...key])
}

/** A signing key that never leaves WebCrypto, from a 32-byte seed. */
export function importSigningKey(seed: Uint8Array): Promise<CryptoKey> {
  return crypto.subtle.importKey('pkcs8', pkcs8(ED25519_ARC, seed), 'Ed25519', false, ['sign'])
}

/** A scalar (private) or a coordinate (public) of 32 bytes for X25519. */
export function importX25519Key(
  kind: 'private' | 'public',
  key: Uint8Array<ArrayBuffer>,
): Promise<CryptoKey> {
  return kind === 'public'
    ? crypto.subtle.importKey('raw', key, 'X25519', false, [])
    : crypto.subtle.importKey('pkcs8', pkcs8(X25519_ARC, key), 'X25519', false, ['deriveBits'])
}
