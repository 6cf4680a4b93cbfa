import {
  bytesField,
  concat,
  decodeFields,
  lastBytes,
  lastVarint,
  varintField,
} from '../../../src/wire/protobuf.ts'
import { areEqual, bytesOf } from '../support/input.ts'
import { promise, type Target } from '../target.ts'

const MAX_FIELDS = 32
/** Our own writer is for fields with small numbers. */
const NUMBER_MAX = 2 ** 28

/** The fields of a protobuf message. */
export const protobuf: Target = {
  name: 'protobuf',
  run(input) {
    const fields = decodeFields(input, MAX_FIELDS)
    if (fields === undefined || fields.some(({ number }) => number >= NUMBER_MAX)) return
    promise(fields.length <= MAX_FIELDS, 'there are no more fields than may be')
    const longer = decodeFields(concat([input, ...varintField(1, 0)]), MAX_FIELDS + 1)
    promise(longer?.length === fields.length + 1, 'what follows a message is another field')
    const written = concat(
      fields.flatMap((field) => {
        if (field.kind === 'varint') return varintField(field.number, field.value)
        return field.kind === 'bytes' ? bytesField(field.number, field.value) : []
      }),
    )
    const again = decodeFields(written, MAX_FIELDS) ?? []
    const known = fields.filter(({ kind }) => kind !== 'other')
    promise(again.length === known.length, 'what is written is read')
    for (const [at, field] of known.entries()) {
      const other = again[at]
      const isSame =
        field.kind === 'bytes'
          ? other?.kind === 'bytes' && areEqual(other.value, field.value)
          : field.kind === 'varint' && other?.kind === 'varint' && other.value === field.value
      promise(isSame && other?.number === field.number, 'a field is read as it was written')
      if (field.kind === 'varint')
        promise(lastVarint(fields, field.number) !== undefined, 'a number is found')
      else promise(lastBytes(fields, field.number) !== undefined, 'bytes are found')
    }
  },
  seeds: () => [
    concat([...varintField(1, 0), ...varintField(2, 300n), ...bytesField(3, bytesOf('text'))]),
    concat([...varintField(536_870_911, 2n ** 64n - 1n), ...bytesField(16, new Uint8Array())]),
    Uint8Array.of(0x0d, 1, 2, 3, 4, 0x11, 1, 2, 3, 4, 5, 6, 7, 8),
    new Uint8Array(2 * (MAX_FIELDS + 1)).fill(8),
  ],
  maxBytes: 512,
  runs: 1_200_000,
}
