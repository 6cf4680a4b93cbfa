import { BlockList, isIP } from 'node:net'
import { type NodeAddress, parseNode, urlOf } from '../../../src/discovery/node-address.ts'
import { GhostChatError } from '../../../src/errors.ts'
import { DialPolicy, hostPart } from '../../../src/network/dial-policy.ts'
import { bytesOf, textOf } from '../support/input.ts'
import { promise, type Target } from '../target.ts'

const PEER = '12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN'
const policy = new DialPolicy({ allowPrivate: false, isTrusted: () => false })

/** Where nobody may be sent, put down independently (IANA's special-purpose registries). */
const SPECIAL = {
  ipv4: [
    '0.0.0.0/8',
    '10.0.0.0/8',
    '100.64.0.0/10',
    '127.0.0.0/8',
    '169.254.0.0/16',
    '172.16.0.0/12',
    '192.168.0.0/16',
  ],
  ipv6: ['::/96', '::ffff:0:0/96', 'fc00::/7', 'fe80::/10', 'ff00::/8'],
}

/** Two lists: Node looks for an IPv4 address among mapped ones as well. */
const special = { ipv4: new BlockList(), ipv6: new BlockList() }
for (const family of ['ipv4', 'ipv6'] as const) {
  for (const net of SPECIAL[family]) {
    const [address = '', bits] = net.split('/')
    special[family].addSubnet(address, Number(bits), family)
  }
}

/** The address of a node or a peer, and whether to dial it. */
export const nodeAddress: Target = {
  name: 'node-address',
  run(input) {
    const text = textOf(input)
    let node: NodeAddress
    try {
      node = parseNode(text)
    } catch (thrown) {
      promise(
        thrown instanceof GhostChatError && thrown.code === 'invalid-node',
        `only invalid-node: ${thrown}`,
      )
      return
    }
    if (node.kind === 'url') {
      promise(
        /^https?:$/.test(node.url.protocol) && node.url.username === '',
        'a URL is http(s), and names no user',
      )
      return
    }
    const { address } = node
    promise(address.toString().startsWith('/'), 'an address can be written')
    urlOf(address)
    const host = hostPart(address)
    promise(address.toString().startsWith(host), 'the host is at the beginning')
    if (!policy.permits(address)) return
    const [first] = address.getComponents()
    const ip = first?.value ?? ''
    const family = isIP(ip) === 0 ? undefined : (`ipv${isIP(ip)}` as 'ipv4' | 'ipv6')
    const isSpecial = family !== undefined && special[family].check(ip, family)
    promise(!isSpecial, 'nobody is sent into a private network')
  },
  seeds: () =>
    [
      ...['https://node.example', 'http://192.0.2.1:8080/path', 'ftp://x', 'https://u:p@node.example'],
      ...[
        '/ip4/8.8.8.8/tcp/1/ws',
        '/ip4/10.0.0.1/tcp/1/ws',
        '/dns4/example.org/tcp/443/tls/ws',
        '/ip6/2606:4700::1/udp/1/quic-v1',
        '/ip6/::ffff:10.0.0.1/tcp/1',
        `/ip4/8.8.8.8/tcp/1/ws/p2p/${PEER}/p2p-circuit`,
        '/ip6zone/eth0/ip6/fe80::1/tcp/1',
        '/dns4/a/tcp/1/tls/sni/localhost/ws',
      ].flatMap((address) => [`${address}/p2p/${PEER}`, address]),
    ].map(bytesOf),
  words: [
    '/ip4/',
    '/ip6/',
    '/dns4/',
    '/tcp/',
    '/ws',
    '/tls',
    '/sni/',
    '/p2p/',
    '/p2p-circuit',
    '/http-path/',
    PEER,
    '127.0.0.1',
    '::1',
  ],
  maxBytes: 512,
  runs: 300_000,
  instrumented: ['@multiformats/multiaddr'],
}
