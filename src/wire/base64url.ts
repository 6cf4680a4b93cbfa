import { base64url } from 'multiformats/bases/base64'

/** base64url without padding (RFC 4648 §5), as JWTs write it. */
export function toBase64url(bytes: Uint8Array): string {
  return base64url.baseEncode(bytes)
}

/**
 * The bytes of a base64url text, or `undefined` when it has a character outside
 * the alphabet, padding, or bits left over: every byte string has one text.
 */
export function fromBase64url(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (text.endsWith('=')) return undefined
  try {
    const bytes = base64url.baseDecode(text) as Uint8Array<ArrayBuffer>
    return toBase64url(bytes) === text ? bytes : undefined
  } catch {
    return undefined
  }
}
