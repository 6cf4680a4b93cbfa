import { bytesField, concat, decodeFields, lastBytes, lastVarint, varintField } from './protobuf.ts'

/** The protocol of libp2p/specs `rendezvous/README.md`, revision 3. */
export const RENDEZVOUS_PROTOCOL = '/rendezvous/1.0.0'

/** Spec: the longest namespace, as UTF-8. */
export const NAMESPACE_MAX_BYTES = 255
/** Spec: the most registrations in one answer. */
export const REGISTRATIONS_MAX = 1_000
/** Spec: the time to live where a client names none. Also the shortest a point needs to grant. */
export const DEFAULT_TTL_SECONDS = 2 * 60 * 60
/** Spec: the longest time to live. */
export const MAX_TTL_SECONDS = 72 * 60 * 60

/** The status codes of the spec, and their numbers. */
export const RENDEZVOUS_STATUS = {
  OK: 0,
  E_INVALID_NAMESPACE: 100,
  E_INVALID_SIGNED_PEER_RECORD: 101,
  E_INVALID_TTL: 102,
  E_INVALID_COOKIE: 103,
  E_NOT_AUTHORIZED: 200,
  E_INTERNAL_ERROR: 300,
  E_UNAVAILABLE: 400,
} as const

export type RendezvousStatus = keyof typeof RENDEZVOUS_STATUS
export type RendezvousFault = Exclude<RendezvousStatus, 'OK'>

/**
 * In which of its two forms a peer record is signed. libp2p/specs RFC 0003 names
 * a domain and a payload type, which rust-libp2p's rendezvous uses; go and js use
 * the multicodec `libp2p-peer-record` instead. Neither reads the other's, and one
 * record it cannot read makes either refuse a whole answer.
 */
export type RecordForm = 'multicodec' | 'rfc0003'

/** The body of REGISTER, and an entry of an answer to DISCOVER. */
export interface RegisterBody {
  namespace?: string
  /** A libp2p signed envelope around a peer record. */
  signedPeerRecord?: Uint8Array
  ttlSeconds?: number
}

export type RendezvousRequest =
  | ({ type: 'register' } & RegisterBody)
  /** Has no answer. */
  | { type: 'unregister'; namespace?: string }
  /** Without a namespace, or with an empty one: everybody. */
  | { type: 'discover'; namespace?: string; limit?: number; cookie?: Uint8Array }

export type RendezvousAnswer =
  | { type: 'register-response'; status: RendezvousStatus; statusText?: string; ttlSeconds?: number }
  | {
      type: 'discover-response'
      registrations: RegisterBody[]
      cookie?: Uint8Array
      status: RendezvousStatus
      statusText?: string
    }

export type RendezvousMessage = RendezvousRequest | RendezvousAnswer

/** `Message.MessageType` of the spec; each but the first is also the number of its body's field, less one. */
const TYPES = ['register', 'register-response', 'unregister', 'discover', 'discover-response'] as const
const FIELD = { type: 1, body: 2 } as const

/** A message has two fields and a body six at the most, plus the registrations. What is beyond is not ours. */
const MAX_FIELDS = 32

const utf8 = new TextEncoder()
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * The bytes of a message. Every field that has a value is written, zeros too:
 * `type: REGISTER` and `status: OK` are zeros, and rust-libp2p refuses messages without them.
 */
export function encodeRendezvous(message: RendezvousMessage): Uint8Array<ArrayBuffer> {
  const type = TYPES.indexOf(message.type)
  return concat([...varintField(FIELD.type, type), ...bytesField(FIELD.body + type, encodeBody(message))])
}

/**
 * The message in these bytes, or `undefined` when they are none. Byte values are
 * views of `data`. Fields that are missing stay missing, but as protobuf has it
 * a missing type is REGISTER and a missing status OK. Numbers beyond 2^53 - 1 become that.
 */
export function decodeRendezvous(data: Uint8Array): RendezvousMessage | undefined {
  const fields = decodeFields(data, MAX_FIELDS)
  if (fields === undefined) return undefined
  const number = Number(lastVarint(fields, FIELD.type) ?? 0n)
  const type = TYPES[number]
  const body = lastBytes(fields, FIELD.body + number)
  if (type === undefined || body === undefined) return undefined
  try {
    return DECODERS[type](body)
  } catch {
    // A body that is no message, or a text that is not UTF-8.
    return undefined
  }
}

/** How many bytes a registration takes in an answer, with its field's tag and length; never less. */
export function registrationBytes(namespaceBytes: number, recordBytes: number): number {
  return namespaceBytes + recordBytes + 32
}

function encodeBody(message: RendezvousMessage): Uint8Array {
  switch (message.type) {
    case 'register':
      return encodeRegister(message)
    case 'register-response':
      return concat([
        ...varintField(1, RENDEZVOUS_STATUS[message.status]),
        ...bytesField(2, encodeText(message.statusText)),
        ...varintField(3, message.ttlSeconds),
      ])
    case 'unregister':
      return concat(bytesField(1, encodeText(message.namespace)))
    case 'discover':
      return concat([
        ...bytesField(1, encodeText(message.namespace)),
        ...varintField(2, message.limit),
        ...bytesField(3, message.cookie),
      ])
    case 'discover-response':
      return concat([
        ...message.registrations.flatMap((registration) => bytesField(1, encodeRegister(registration))),
        ...bytesField(2, message.cookie),
        ...varintField(3, RENDEZVOUS_STATUS[message.status]),
        ...bytesField(4, encodeText(message.statusText)),
      ])
  }
}

function encodeRegister({ namespace, signedPeerRecord, ttlSeconds }: RegisterBody): Uint8Array {
  return concat([
    ...bytesField(1, encodeText(namespace)),
    ...bytesField(2, signedPeerRecord),
    ...varintField(3, ttlSeconds),
  ])
}

function decodeRegister(data: Uint8Array): RegisterBody {
  const fields = bodyFields(data)
  return present({
    namespace: text(lastBytes(fields, 1)),
    signedPeerRecord: lastBytes(fields, 2),
    ttlSeconds: count(lastVarint(fields, 3)),
  })
}

const DECODERS: { [T in RendezvousMessage['type']]: (body: Uint8Array) => RendezvousMessage } = {
  register: (body) => ({ type: 'register', ...decodeRegister(body) }),
  'register-response': (body) => {
    const fields = bodyFields(body)
    return present({
      type: 'register-response',
      status: decodeStatus(lastVarint(fields, 1)),
      statusText: text(lastBytes(fields, 2)),
      ttlSeconds: count(lastVarint(fields, 3)),
    })
  },
  unregister: (body) => present({ type: 'unregister', namespace: text(lastBytes(bodyFields(body), 1)) }),
  discover: (body) => {
    const fields = bodyFields(body)
    return present({
      type: 'discover',
      namespace: text(lastBytes(fields, 1)),
      limit: count(lastVarint(fields, 2)),
      cookie: lastBytes(fields, 3),
    })
  },
  'discover-response': (body) => {
    const fields = bodyFields(body, MAX_FIELDS + REGISTRATIONS_MAX)
    const registrations = fields.flatMap((field) =>
      field.kind === 'bytes' && field.number === 1 ? [decodeRegister(field.value)] : [],
    )
    if (registrations.length > REGISTRATIONS_MAX) throw new RangeError('too many registrations')
    return present({
      type: 'discover-response',
      registrations,
      cookie: lastBytes(fields, 2),
      status: decodeStatus(lastVarint(fields, 3)),
      statusText: text(lastBytes(fields, 4)),
    })
  },
}

function bodyFields(data: Uint8Array, maxFields = MAX_FIELDS) {
  const fields = decodeFields(data, maxFields)
  if (fields === undefined) throw new RangeError('not a protobuf message')
  return fields
}

/** A number that the spec does not name is a fault all the same. */
function decodeStatus(number: bigint | undefined): RendezvousStatus {
  const value = Number(number ?? 0n)
  const names = Object.keys(RENDEZVOUS_STATUS) as RendezvousStatus[]
  return names.find((name) => RENDEZVOUS_STATUS[name] === value) ?? 'E_INTERNAL_ERROR'
}

function count(value: bigint | undefined): number | undefined {
  if (value === undefined) return undefined
  return value > Number.MAX_SAFE_INTEGER ? Number.MAX_SAFE_INTEGER : Number(value)
}

function encodeText(value: string | undefined): Uint8Array | undefined {
  return value === undefined ? undefined : utf8.encode(value)
}

function text(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined ? undefined : strictUtf8.decode(bytes)
}

/** The same without the properties that have no value. */
function present<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(value).filter(([, property]) => property !== undefined)
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> }
}
