import { isIPv4 } from 'node:net'
import { StunResponder } from '../../../src/node/stun-server.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { decodeStunRequest, STUN_MAX_FACTOR, STUN_REQUEST_MAX_BYTES } from '../../../src/wire/stun.ts'
import { NOW } from '../../support/authors.ts'
import { readMappedAddress, stunMessage } from '../../support/stun.ts'
import { InputReader } from '../support/input.ts'
import { promise, type Target } from '../target.ts'

const clock = new ManualClock(NOW)
/** It has answered all inputs before this one, from ever other addresses. */
const veteran = new StunResponder(clock)

/** A datagram, from an address that can be forged. */
export const stun: Target = {
  name: 'stun',
  run(input) {
    const reader = new InputReader(input)
    const quads = [reader.byte(), reader.byte(), reader.byte(), reader.byte()]
    const source =
      quads[0] === 0
        ? {
            address: `2001:db8:${quads[1]?.toString(16)}:${quads[2]?.toString(16)}::${quads[3]}`,
            port: 40_000,
          }
        : { address: quads.join('.'), port: 1 + (quads[3] ?? 0) }
    const datagram = reader.rest()
    veteran.answer(datagram, source)
    const answer = new StunResponder(clock).answer(datagram, source)
    const request = decodeStunRequest(datagram)
    promise((answer === undefined) === (request === undefined), 'what is a request has an answer')
    if (answer === undefined || request === undefined) return
    promise(endOfAttributes(datagram) === datagram.length, 'attributes fill a request to its end')
    promise(datagram.length <= STUN_REQUEST_MAX_BYTES, 'a request fits into one packet')
    promise(answer.length <= STUN_MAX_FACTOR * datagram.length, 'an answer is 2.2 times as long at the most')
    promise(Buffer.compare(answer.subarray(8, 20), datagram.subarray(8, 20)) === 0, 'it answers that request')
    if (request.unknownAttributes.length > 0) return
    const { ip, port } = readMappedAddress(answer)
    promise(port === source.port, 'it tells the port')
    if (isIPv4(source.address)) promise(ip === source.address, 'it tells the address')
  },
  seeds: () => {
    const attribute = (type: number, length = 4) => [type, new Uint8Array(length).fill(1)] as const
    const messages = [
      stunMessage({}),
      stunMessage({ withFingerprint: true }),
      stunMessage({ attributes: [attribute(0x8022, 7), attribute(0x0024)], withFingerprint: true }),
      stunMessage({ attributes: [attribute(0x0006, 9), attribute(0x0008, 20), attribute(0x7777)] }),
      stunMessage({ attributes: [attribute(0x7777, 0), attribute(0x7778, 3)] }),
    ]
    return [Uint8Array.of(192, 0, 2, 1), Uint8Array.of(0, 1, 2, 3)].flatMap((source) =>
      messages.map((message) => Buffer.concat([source, message])),
    )
  },
  maxBytes: STUN_REQUEST_MAX_BYTES + 8,
  runs: 1_000_000,
}

/** Where the last attribute ends, each padded to four bytes. */
function endOfAttributes(message: Uint8Array): number {
  const bytes = Buffer.from(message)
  let at = 20
  while (at + 4 <= bytes.length) at += 4 + 4 * Math.ceil(bytes.readUInt16BE(at + 2) / 4)
  return at
}
