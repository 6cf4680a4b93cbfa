let supported: Promise<boolean> | undefined

/** Whether this platform's WebCrypto knows Ed25519. Asked once. */
export function supportsEd25519(): Promise<boolean> {
  supported ??= probe()
  return supported
}

async function probe(): Promise<boolean> {
  try {
    const pair = await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify'])
    return 'privateKey' in pair
  } catch {
    return false
  }
}

/** DER of a PKCS #8 Ed25519 private key up to its 32 bytes (RFC 8410 §7). */
const PKCS8_PREFIX = [
  0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
]

/** A signing key that never leaves WebCrypto, from a 32-byte seed. */
export function importSigningKey(seed: Uint8Array): Promise<CryptoKey> {
  const pkcs8 = new Uint8Array([...PKCS8_PREFIX, ...seed])
  return crypto.subtle.importKey('pkcs8', pkcs8, 'Ed25519', false, ['sign'])
}
