import { createSocket } from 'node:dgram'
import { once } from 'node:events'

/** RFC 1035 §4.1.1: a response, authoritative, recursion available. */
const RESPONSE = 0x8580
const NO_SUCH_NAME = 3
const TYPE_A = 1
const HEADER_BYTES = 12
/** A pointer to the name in the question. */
const NAME_POINTER = 0xc00c
const TTL_S = 60

/**
 * A name server for one machine, at 127.0.0.1. `/etc/hosts` would not do:
 * Chromium looks the names of STUN servers up in the DNS alone.
 *
 * @param names IPv4 addresses by name; there are no others
 * @returns ends it
 */
export async function serveNames(names: Readonly<Record<string, string>>): Promise<() => void> {
  const socket = createSocket('udp4')
  socket.on('message', (query, { port, address }) => {
    const answer = answerTo(query, names)
    if (answer !== undefined) socket.send(answer, port, address)
  })
  socket.bind(53, '127.0.0.1')
  await once(socket, 'listening')
  return () => socket.close()
}

/** The answer to a query with one question; nothing to anything else. */
function answerTo(query: Buffer, names: Readonly<Record<string, string>>): Buffer | undefined {
  if (query.length < HEADER_BYTES || query.readUInt16BE(4) !== 1) return undefined
  const labels: string[] = []
  let end = HEADER_BYTES
  for (let length = query[end] ?? 0; length > 0; length = query[end] ?? 0) {
    labels.push(query.toString('latin1', end + 1, end + 1 + length))
    end += 1 + length
  }
  const question = query.subarray(HEADER_BYTES, end + 5)
  const address = names[labels.join('.').toLowerCase()]
  const hasAnswer = address !== undefined && question.readUInt16BE(question.length - 4) === TYPE_A
  const header = Buffer.alloc(HEADER_BYTES)
  query.copy(header, 0, 0, 2)
  header.writeUInt16BE(RESPONSE | (address === undefined ? NO_SUCH_NAME : 0), 2)
  header.writeUInt16BE(1, 4)
  header.writeUInt16BE(hasAnswer ? 1 : 0, 6)
  return Buffer.concat([header, question, ...(hasAnswer ? [addressRecord(address)] : [])])
}

function addressRecord(address: string): Buffer {
  const record = Buffer.alloc(12)
  record.writeUInt16BE(NAME_POINTER, 0)
  record.writeUInt16BE(TYPE_A, 2)
  // The class IN.
  record.writeUInt16BE(1, 4)
  record.writeUInt32BE(TTL_S, 6)
  record.writeUInt16BE(4, 10)
  return Buffer.concat([record, Buffer.from(address.split('.').map(Number))])
}
