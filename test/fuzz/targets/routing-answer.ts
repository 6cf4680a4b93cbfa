import { multiaddr } from '@multiformats/multiaddr'
import { readRoutingAnswer } from '../../../src/discovery/routing-answer.ts'
import { GhostChatError } from '../../../src/errors.ts'
import { bytesOf, InputReader } from '../support/input.ts'
import { promise, type Target } from '../target.ts'

const STATUSES = [200, 200, 200, 404, 500]
const TYPES = ['application/x-ndjson', 'application/json', 'application/json; charset=utf-8', 'text/html']
/** Of a peer id, in characters; of an address; of the addresses of a peer. */
const MAX = { id: 300, address: 512, addresses: 8 }

/** The answer of a delegated routing endpoint, in pieces that end anywhere. */
export const routingAnswer: Target = {
  name: 'routing-answer',
  async run(input) {
    const reader = new InputReader(input)
    const status = STATUSES[reader.below(STATUSES.length)] ?? 200
    const type = TYPES[reader.below(TYPES.length)] ?? ''
    const pieceBytes = 1 + reader.byte() ** 2
    const body = reader.rest()
    try {
      for await (const { Schema, ID, Addrs } of readRoutingAnswer(
        responseOf({ status, type, pieceBytes, body }),
      )) {
        promise(Schema === 'peer' && typeof ID === 'string' && ID.length <= MAX.id, 'a record names a peer')
        promise(Addrs.length <= MAX.addresses, 'a peer has 8 addresses at the most')
        for (const address of Addrs) {
          promise(address.length <= MAX.address, 'an address is 512 characters at the most')
          multiaddr(address)
        }
      }
    } catch (thrown) {
      const isExpected = thrown instanceof GhostChatError && thrown.code === 'node-unreachable'
      promise(isExpected, `only node-unreachable: ${thrown}`)
    }
  },
  seeds: () => {
    const id = '12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN'
    const cid = 'bafzaajaiaejcaofxcmuubhhbgfs3w3qsjnjvvdpmhqc3nsdupujoyyufu2nbuw5l'
    const addresses = ['/ip4/192.0.2.1/tcp/1/ws', '/dns4/example.org/tcp/443/tls/ws', 'nonsense', 7]
    const records = [id, cid, 'Qm', 9].map((ID) => ({ Schema: 'peer', ID, Addrs: addresses, Protocols: [] }))
    const lines = records.map((record) => `${JSON.stringify(record)}\n`).join('')
    const lists = ['Providers', 'Peers'].map((name) => JSON.stringify({ [name]: records }))
    const inputs = [
      [0, 0, lines],
      [0, 1, lists[0]],
      [0, 2, lists[1]],
      [3, 1, ''],
      [4, 0, 'x'],
      [0, 3, lines],
    ] as const
    return inputs.flatMap(([status, type, body = '']) =>
      [3, 20].map((piece) => Buffer.concat([Uint8Array.of(status, type, piece), bytesOf(body)])),
    )
  },
  words: [
    '"Providers":',
    '"Peers":',
    'null',
    '"ID":',
    '"Addrs":',
    '"Schema":"peer"',
    '\n',
    '/ip4/',
    '/tcp/',
    '"Qm',
    '"1',
  ],
  maxBytes: 20 * 1024,
  runs: 250_000,
}

/** As much of a response as is looked at: a stream of the platform needs an event loop. */
function responseOf(options: {
  status: number
  type: string
  pieceBytes: number
  body: Uint8Array
}): Response {
  const { status, type, body } = options
  const pieceBytes = Math.max(options.pieceBytes, body.length >> 6)
  let at = 0
  const read = async (): Promise<{ done: boolean; value?: Uint8Array }> => {
    if (at >= body.length) return { done: true }
    at += pieceBytes
    return { done: false, value: body.slice(at - pieceBytes, at) }
  }
  const headers = new Map([['content-type', type]])
  return { status, ok: status === 200, headers, body: { getReader: () => ({ read }) } } as unknown as Response
}
