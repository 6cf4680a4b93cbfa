import { EVENT_MAX_BYTES } from '../limits.ts'
import { fromBase64url, toBase64url } from './base64url.ts'
import { type Claims, decodeClaims, encodeClaims } from './claims.ts'

/** The one header there is. Its text is compared, never interpreted. */
export const HEADER = { alg: 'EdDSA', typ: 'ghostchat+jwt' } as const

const utf8 = new TextEncoder()
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

const ENCODED_HEADER = toBase64url(utf8.encode(JSON.stringify(HEADER)))
const SIGNATURE_BYTES = 64

/** A JWT taken apart. Nothing about it is verified yet. */
export interface ParsedJwt {
  claims: Claims
  /** What the signature is over: `<header>.<claims>`. */
  signed: Uint8Array<ArrayBuffer>
  signature: Uint8Array<ArrayBuffer>
}

/** What the author signs for these claims: `<header>.<claims>`. */
export function signingInput(claims: Claims): string {
  return `${ENCODED_HEADER}.${toBase64url(utf8.encode(encodeClaims(claims)))}`
}

/** The finished JWT. */
export function assembleJwt(input: string, signature: Uint8Array): string {
  return `${input}.${toBase64url(signature)}`
}

/** What is wrong with the form of a JWT. */
export type Malformed = 'too-long' | 'not-a-jwt' | 'bad-header' | 'bad-claims' | 'bad-signature-form'

/**
 * Takes a JWT apart. Answers what is wrong where it is not in the one canonical
 * form: size, three parts, the constant header, the schema of the claims, a
 * signature of 64 bytes.
 */
export function parseJwt(jwt: string): ParsedJwt | Malformed {
  if (jwt.length > EVENT_MAX_BYTES) return 'too-long'
  const [header, payload, signatureText, ...more] = jwt.split('.')
  if (header === undefined || payload === undefined || signatureText === undefined || more.length > 0) {
    return 'not-a-jwt'
  }
  if (header !== ENCODED_HEADER) return 'bad-header'
  const claims = parseClaims(payload)
  if (claims === undefined) return 'bad-claims'
  const signature = fromBase64url(signatureText)
  if (signature?.byteLength !== SIGNATURE_BYTES) return 'bad-signature-form'
  return { claims, signed: utf8.encode(`${header}.${payload}`), signature }
}

function parseClaims(payload: string): Claims | undefined {
  const bytes = fromBase64url(payload)
  if (bytes === undefined) return undefined
  try {
    return decodeClaims(strictUtf8.decode(bytes))
  } catch {
    return undefined
  }
}
