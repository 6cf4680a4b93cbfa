/** One field of a protobuf message as it lies on the wire. */
export type Field =
  | { number: number; kind: 'varint'; value: bigint }
  | { number: number; kind: 'bytes'; value: Uint8Array }
  /** Fixed-size numbers, which none of our messages has. */
  | { number: number; kind: 'other' }

/** The longest varint: 64 bits in groups of seven. */
const VARINT_MAX_BYTES = 10
const CONTINUES = 0x80

const WIRE_TYPE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const

/**
 * The fields of a message in their order, or `undefined` when these bytes are
 * none. Byte values are views of `data`. Groups, which protobuf gave up long
 * before this protocol was written, make a message malformed.
 *
 * `maxFields` bounds the work: whoever has more is malformed too.
 */
export function decodeFields(data: Uint8Array, maxFields: number): Field[] | undefined {
  const fields: Field[] = []
  let at = 0
  const varint = (): bigint | undefined => {
    let value = 0n
    for (let length = 0; length < VARINT_MAX_BYTES; length += 1) {
      const byte = data[at]
      if (byte === undefined) return undefined
      at += 1
      value |= BigInt(byte & 0x7f) << BigInt(7 * length)
      if (byte < CONTINUES) return value < 1n << 64n ? value : undefined
    }
    return undefined
  }
  const bytes = (length: number): Uint8Array | undefined => {
    if (length > data.length - at) return undefined
    at += length
    return data.subarray(at - length, at)
  }
  while (at < data.length) {
    if (fields.length === maxFields) return undefined
    const tag = varint()
    if (tag === undefined || tag > 0xffff_ffffn || tag < 8n) return undefined
    const number = Number(tag >> 3n)
    switch (Number(tag & 7n)) {
      case WIRE_TYPE.varint: {
        const value = varint()
        if (value === undefined) return undefined
        fields.push({ number, kind: 'varint', value })
        break
      }
      case WIRE_TYPE.bytes: {
        const length = varint()
        const value = length === undefined ? undefined : bytes(Number(length))
        if (value === undefined) return undefined
        fields.push({ number, kind: 'bytes', value })
        break
      }
      case WIRE_TYPE.fixed64:
      case WIRE_TYPE.fixed32:
        if (bytes((tag & 7n) === 1n ? 8 : 4) === undefined) return undefined
        fields.push({ number, kind: 'other' })
        break
      default:
        return undefined
    }
  }
  return fields
}

/** The last value of a number field; protobuf lets the last one win. */
export function lastVarint(fields: readonly Field[], number: number): bigint | undefined {
  const last = fields.findLast((field) => field.kind === 'varint' && field.number === number)
  return last?.kind === 'varint' ? last.value : undefined
}

/** The last value of a field of bytes, text or a message. */
export function lastBytes(fields: readonly Field[], number: number): Uint8Array | undefined {
  const last = fields.findLast((field) => field.kind === 'bytes' && field.number === number)
  return last?.kind === 'bytes' ? last.value : undefined
}

/** A number field; nothing for a value that is not there. */
export function varintField(number: number, value: number | bigint | undefined): Uint8Array[] {
  return value === undefined ? [] : [encodeVarint((number << 3) | WIRE_TYPE.varint), encodeVarint(value)]
}

/** A field of bytes, text or a message; nothing for a value that is not there. */
export function bytesField(number: number, value: Uint8Array | undefined): Uint8Array[] {
  if (value === undefined) return []
  return [encodeVarint((number << 3) | WIRE_TYPE.bytes), encodeVarint(value.length), value]
}

/** Pieces in one array. */
export function concat(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
  }
  return whole
}

function encodeVarint(value: number | bigint): Uint8Array {
  const bytes: number[] = []
  let rest = BigInt(value)
  while (rest >= 128n) {
    bytes.push(Number(rest & 0x7fn) | CONTINUES)
    rest >>= 7n
  }
  bytes.push(Number(rest))
  return Uint8Array.from(bytes)
}
