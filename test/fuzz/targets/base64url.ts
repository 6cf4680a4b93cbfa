import { fromBase64url, toBase64url } from '../../../src/wire/base64url.ts'
import { areEqual, bytesOf, textOf } from '../support/input.ts'
import { promise, type Target } from '../target.ts'

/** The alphabet of RFC 4648 §5, with Node's own decoder as the other opinion. */
export const base64url: Target = {
  name: 'base64url',
  run(input) {
    promise(
      areEqual(fromBase64url(toBase64url(input)) ?? new Uint8Array(1), input),
      'every byte string has a text',
    )
    const text = textOf(input)
    const bytes = fromBase64url(text)
    const others = Buffer.from(text, 'base64url')
    const isCanonical = others.toString('base64url') === text
    promise((bytes !== undefined) === isCanonical, 'a text is read where it is the only one of its bytes')
    if (bytes === undefined) return
    promise(areEqual(bytes, others), 'the bytes are those that others read')
    promise(toBase64url(bytes) === text, 'every byte string has one text')
  },
  seeds: () =>
    ['', 'AA', 'AAA', 'AAAA', 'Zm9vYmE', 'Zm9vYmFy', '-_-_', 'AB', 'AAB', 'A=', 'A', 'é'].map(bytesOf),
  words: ['=', '+', '/', '-', '_'],
  maxBytes: 512,
  runs: 1_500_000,
}
