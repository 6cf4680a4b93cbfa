import { multiaddr } from '@multiformats/multiaddr'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addressOf, parseNode, tryMultiaddr, urlOf } from '../../src/discovery/node-address.ts'
import { openPeerRecord } from '../../src/discovery/peer-record.ts'
import { readRoutingAnswer } from '../../src/discovery/routing-answer.ts'
import { GhostChatError } from '../../src/errors.ts'
import { AddressBook } from '../../src/network/address-book.ts'
import { DialPolicy } from '../../src/network/dial-policy.ts'
import { HandClock } from '../support/hand-clock.ts'
import { asyncProperty, property } from '../support/property.ts'
import { realPeerId } from '../support/routing.ts'
import { runs } from '../support/runs.ts'
import { envelopeOf, keyed } from '../support/signed-records.ts'

const [ada, bob] = [realPeerId(1), realPeerId(2)]
const piece = fc.constantFrom(
  'ip4',
  'ip6',
  'dns',
  'dns4',
  'dnsaddr',
  'tcp',
  'udp',
  'ws',
  'wss',
  'tls',
  'sni',
  'p2p',
  'p2p-circuit',
  'webrtc',
  '127.0.0.1',
  '10.1.2.3',
  '8.8.8.8',
  '::1',
  'fe80::1',
  '2606:4700::1',
  'localhost',
  'node.example',
  '443',
  '0',
  '',
  ada,
  bob,
)
const anyAddress = fc.array(piece, { maxLength: 9 }).map((parts) => `/${parts.join('/')}`)

describe('a node as an application names it', () => {
  const entry = fc.oneof(
    anyAddress,
    fc.webUrl(),
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.anything(),
    fc
      .tuple(fc.constantFrom('http://', 'https://', 'ws://', 'HTTP:'), fc.string({ maxLength: 20 }))
      .map((parts) => parts.join('')),
  )

  it('is understood or refused by its code, whatever it is, and nothing else is thrown', () => {
    fc.assert(
      property(entry, (any) => {
        try {
          const node = parseNode(any)
          if (node.kind === 'url') {
            expect(node.url.protocol).toMatch(/^https?:$/)
            // Where it is dialled is where it says it is.
            const back = urlOf(addressOf(node.url))
            expect(back?.host).toBe(node.url.host.replace(/:(?:80|443)$/, ''))
          } else expect(node.address.getComponents().at(-1)?.name).toBe('p2p')
        } catch (thrown) {
          expect(thrown).toMatchObject({ code: 'invalid-node' })
        }
      }),
      runs(500),
    )
  })
})

describe('a dial policy', () => {
  const strict = new DialPolicy({ allowPrivate: false, isTrusted: () => false })
  const byte = fc.nat(255)
  const inside = fc.oneof(
    fc.tuple(fc.constant(10), byte, byte, byte),
    fc.tuple(fc.constant(127), byte, byte, byte),
    fc.tuple(fc.constant(192), fc.constant(168), byte, byte),
    fc.tuple(fc.constant(172), fc.integer({ min: 16, max: 31 }), byte, byte),
    fc.tuple(fc.constant(169), fc.constant(254), byte, byte),
    fc.tuple(fc.constant(100), fc.integer({ min: 64, max: 127 }), byte, byte),
    fc.tuple(fc.constant(0), byte, byte, byte),
    fc.tuple(fc.integer({ min: 224, max: 255 }), byte, byte, byte),
  )
  const hex = (high: number, low: number): string => ((high << 8) | low).toString(16)
  const prefix = fc.constantFrom(
    '::ffff:',
    '::',
    '64:ff9b::',
    '2002:',
    'fc00::',
    'fd12:3456::',
    'fe80::',
    'fec0::',
    'ff02::',
  )
  const behind = fc.constantFrom(
    '',
    `/p2p/${ada}/p2p-circuit/p2p/${bob}`,
    `/p2p/${ada}/p2p-circuit/webrtc/p2p/${bob}`,
  )

  it('permits no address of a machine beside this one, in whatever form it is written', () => {
    const hosts = fc
      .tuple(inside, prefix, fc.constantFrom('ip4', 'hex', 'dns', 'sni'))
      .map(([ip, before, form]) => {
        const [a, b, c, d] = ip
        if (form === 'ip4') return `/ip4/${ip.join('.')}`
        if (form === 'dns') return `/dns4/${ip.join('.')}`
        if (form === 'sni') return `/ip4/8.8.8.8/tcp/443/tls/sni/${ip.join('.')}`
        const tail = before === '2002:' ? `${hex(a, b)}:${hex(c, d)}::1` : `${hex(a, b)}:${hex(c, d)}`
        return `/ip6/${before}${tail}`
      })
    fc.assert(
      property(hosts, behind, (host, way) => {
        const text = host.includes('/sni/') ? `${host}/ws${way}` : `${host}/tcp/443/tls/ws${way}`
        expect(strict.permits(multiaddr(text))).toBe(false)
      }),
      runs(500),
    )
  })

  it('says yes or no to whatever is an address, and yes to nothing that names no public machine', () => {
    fc.assert(
      property(anyAddress, (text) => {
        const address = tryMultiaddr(text)
        if (address === undefined || !strict.permits(address)) return
        const [first] = address.getComponents()
        expect(['8.8.8.8', '2606:4700::1', 'node.example']).toContain(first?.value)
      }),
      runs(500),
    )
  })
})

describe('an address book', () => {
  const found = fc.array(fc.tuple(fc.nat(400), fc.nat(12)), { maxLength: 40 })
  const step = fc.record({
    topic: fc.constantFrom('a', 'b'),
    found,
    isSigned: fc.boolean(),
    pause: fc.constantFrom(0, 3_600_000),
  })
  const address = multiaddr('/ip4/198.51.100.1/tcp/1/ws')

  it('is no longer than it may be, and what a peer signed gives way to nothing that nobody did', () => {
    fc.assert(
      property(fc.array(step, { maxLength: 12 }), (steps) => {
        const clock = new HandClock()
        const book = new AddressBook(clock)
        const signed = new Map<string, number>()
        for (const { topic, found, isSigned, pause } of steps) {
          clock.pass(pause)
          const peers = found.map(([peer, count]) => ({
            peerId: `${peer}`,
            addresses: Array(count).fill(address),
          }))
          const before = new Set(book.peersIn(topic))
          book.add(topic, peers, isSigned)
          const after = new Set(book.peersIn(topic))
          expect(after.size).toBeLessThanOrEqual(256)
          if (!isSigned) expect([...before].filter((peer) => !after.has(peer))).toEqual([])
          for (const { peerId } of peers) {
            expect(book.addressesOf(peerId).length).toBeLessThanOrEqual(8)
            if (isSigned) signed.set(peerId, clock.now())
          }
        }
      }),
      runs(150),
    )
  })
})

describe('what others send of where peers are', () => {
  const value = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.record({
      ID: fc.oneof(fc.constantFrom(ada, 'Qm', 'b', 'z', ''), fc.string()),
      Addrs: fc.oneof(
        fc.array(fc.oneof(anyAddress, fc.string()), { maxLength: 12 }),
        fc.jsonValue({ maxDepth: 1 }),
      ),
    }),
  )
  const body = fc.oneof(
    fc
      .array(value, { maxLength: 5 })
      .map((list) => ['application/x-ndjson', list.map((one) => JSON.stringify(one)).join('\n')]),
    fc.array(value, { maxLength: 5 }).map((Providers) => ['application/json', JSON.stringify({ Providers })]),
    fc.tuple(
      fc.constantFrom('application/json', 'application/x-ndjson', 'text/html'),
      fc.string({ unit: 'binary' }),
    ),
  )

  it('an answer of a routing endpoint is read or refused by its code, and what is read is bounded', async () => {
    await fc.assert(
      asyncProperty(body, async ([type, text]) => {
        const response = new Response(text, { headers: { 'content-type': type ?? '' } })
        try {
          for await (const { ID, Addrs } of readRoutingAnswer(response)) {
            expect(ID.length).toBeLessThanOrEqual(200)
            expect(Addrs.length).toBeLessThanOrEqual(8)
            for (const address of Addrs) expect(tryMultiaddr(address)).toBeDefined()
          }
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(GhostChatError)
          expect(thrown).toMatchObject({ code: 'node-unreachable' })
        }
      }),
      runs(200),
    )
  })

  it('a signed record that is damaged says what was signed, or nothing', async () => {
    const envelope = await envelopeOf(await keyed(), { sequence: 7n })
    const right = await openPeerRecord(envelope)
    const said = (record: typeof right): unknown => [
      record?.peerId,
      record?.sequence,
      record?.addresses.map(String),
    ]
    const damage = fc.record({
      at: fc.nat(envelope.length - 1),
      byte: fc.nat(255),
      how: fc.constantFrom('set', 'cut', 'put'),
    })
    await fc.assert(
      asyncProperty(damage, async ({ at, byte, how }) => {
        const bytes = [...envelope]
        if (how === 'cut') bytes.length = at
        else bytes.splice(at, how === 'set' ? 1 : 0, byte)
        const opened = await openPeerRecord(Uint8Array.from(bytes))
        if (opened !== undefined) expect(said(opened)).toEqual(said(right))
      }),
      runs(300),
    )
  })
})
