import { multiaddr } from '@multiformats/multiaddr'
import { describe, expect, it } from 'vitest'
import { DialPolicy, hostPart } from '../../../src/network/dial-policy.ts'
import { realPeerId } from '../../support/routing.ts'

const [ada, bob] = [realPeerId(1), realPeerId(2)]
const strict = new DialPolicy({ allowPrivate: false, isTrusted: () => false })
const open = new DialPolicy({ allowPrivate: true, isTrusted: () => false })

/** An address of somebody behind a relay at this place, reached through it or directly. */
const behind = (host: string): string[] => [
  `${host}/p2p/${ada}/p2p-circuit/p2p/${bob}`,
  `${host}/p2p/${ada}/p2p-circuit/webrtc/p2p/${bob}`,
]

describe('a dial policy', () => {
  it.each([
    '/ip4/8.8.8.8/tcp/443/tls/ws',
    '/ip6/2606:4700::1/tcp/443/tls/ws',
    '/dns/node.example/tcp/443/wss',
    '/dns4/node.example./tcp/443/tls/ws',
    '/dns6/a-b.xn--p1ai/tcp/443/tls/ws',
    '/dns4/1.node.example/tcp/443/tls/ws',
    '/ip4/8.8.8.8/tcp/443/tls/sni/node.example/ws',
  ])('permits the public address %s, and whoever is behind it', (host) => {
    for (const address of [host, ...behind(host)]) expect(strict.permits(multiaddr(address))).toBe(true)
  })

  it.each([
    ['loopback', '/ip4/127.0.0.1/tcp/80/ws'],
    ['loopback', '/ip4/127.9.9.9/tcp/80/ws'],
    ['loopback', '/ip6/::1/tcp/80/ws'],
    ['this host', '/ip4/0.0.0.0/tcp/80/ws'],
    ['this host', '/ip6/::/tcp/80/ws'],
    ['private', '/ip4/10.0.0.1/tcp/80/ws'],
    ['private', '/ip4/172.16.0.1/tcp/80/ws'],
    ['private', '/ip4/192.168.1.1/tcp/80/ws'],
    ['private', '/ip6/fd00::1/tcp/80/ws'],
    ['shared by a provider', '/ip4/100.64.0.1/tcp/80/ws'],
    ['link-local, where clouds keep secrets', '/ip4/169.254.169.254/tcp/80/ws'],
    ['link-local', '/ip6/fe80::1/tcp/80/ws'],
    ['link-local with a zone', '/ip6zone/eth0/ip6/fe80::1/tcp/80/ws'],
    ['site-local', '/ip6/fec0::1/tcp/80/ws'],
    ['multicast', '/ip6/ff02::1/tcp/80/ws'],
    ['IPv4 in IPv6', '/ip6/::ffff:10.0.0.1/tcp/80/ws'],
    ['IPv4 in IPv6', '/ip6/::10.0.0.1/tcp/80/ws'],
    ['NAT64', '/ip6/64:ff9b::a00:1/tcp/80/ws'],
    ['6to4', '/ip6/2002:a00:1::1/tcp/80/ws'],
    ['the name of this machine', '/dns4/localhost/tcp/80/ws'],
    ['the name of this machine', '/dns/LOCALHOST./tcp/80/ws'],
    ['the name of this machine', '/dns/x.localhost/tcp/80/ws'],
    ['a name without a dot', '/dns4/router/tcp/80/ws'],
    ['a name of mDNS', '/dns6/printer.local/tcp/80/ws'],
    ['a name of a home', '/dns4/nas.home.arpa/tcp/80/ws'],
    ['a name of a home', '/dns4/nas.lan/tcp/80/ws'],
    ['a name of a company', '/dns4/wiki.internal/tcp/80/ws'],
    ['a name that libp2p asks strangers about', '/dnsaddr/node.example'],
    ['a local name that is resolved by libp2p', '/dnsaddr/printer.local'],
    ['a number as a name', '/dns4/127.0.0.1/tcp/80/ws'],
    ['a number as a name', '/dns4/192.168.1.1/tcp/443/tls/ws'],
    ['a short number as a name', '/dns4/10.1/tcp/80/ws'],
    ['a hexadecimal number as a name', '/dns4/0x7f.1/tcp/80/ws'],
    ['a number as a name', '/dns4/2130706433/tcp/80/ws'],
    ['a name that a URL reads as a user', '/dns4/node.example@10.0.0.1/tcp/80/ws'],
    ['a name that a URL reads as a user', '/dns4/node.example@localhost/tcp/80/ws'],
    ['an escaped name', '/dns4/127%2E0%2E0%2E1/tcp/80/ws'],
    ['an escaped name', '/dns4/%31%30.0.0.1/tcp/80/ws'],
    ['dots of another script', '/dns4/127。0。0。1/tcp/80/ws'],
    ['digits of another script', '/dns4/１０.0.0.1/tcp/80/ws'],
    [
      'a private name for TLS, which is where a WebSocket goes',
      '/ip4/8.8.8.8/tcp/443/tls/sni/192.168.1.1/ws',
    ],
    ['a private name for TLS, which is where a WebSocket goes', '/ip4/8.8.8.8/tcp/443/tls/sni/localhost/ws'],
    [
      'a private name for TLS, which is where a WebSocket goes',
      '/dns4/node.example/tcp/443/tls/sni/nas.lan/ws',
    ],
    ['no machine', '/webrtc'],
    ['no machine', `/p2p/${ada}`],
    ['a socket file', '/unix/tmp'],
  ])('refuses an address that is %s: %s', (_what, host) => {
    for (const address of [host, ...behind(host)]) expect(strict.permits(multiaddr(address))).toBe(false)
  })

  it('permits private addresses where the application wants them', () => {
    for (const address of [
      '/ip4/192.168.1.1/tcp/80/ws',
      '/dns4/printer.local/tcp/80/ws',
      '/ip6/::1/tcp/80/ws',
    ]) {
      expect(open.permits(multiaddr(address))).toBe(true)
    }
  })

  it('permits the machine and port of a node, and whoever is behind it, and no other port', () => {
    const policy = new DialPolicy({
      allowPrivate: false,
      isTrusted: (host) => host === '/ip4/127.0.0.1/tcp/8787/ws',
    })
    const node = '/ip4/127.0.0.1/tcp/8787/ws'
    for (const address of [node, ...behind(node)]) expect(policy.permits(multiaddr(address))).toBe(true)
    const others = ['/ip4/127.0.0.1/tcp/8788/ws', '/ip4/127.0.0.2/tcp/8787/ws', '/ip4/127.0.0.1/tcp/87/ws']
    for (const other of others) {
      for (const address of [other, ...behind(other)]) expect(policy.permits(multiaddr(address))).toBe(false)
    }
  })
})

describe('the machine and port of an address', () => {
  it.each([
    ['/ip4/192.0.2.1/tcp/1/ws', '/ip4/192.0.2.1/tcp/1/ws'],
    [`/ip4/192.0.2.1/tcp/1/ws/p2p/${ada}`, '/ip4/192.0.2.1/tcp/1/ws'],
    [
      `/dns/node.example/tcp/443/tls/ws/p2p/${ada}/p2p-circuit/webrtc/p2p/${bob}`,
      '/dns/node.example/tcp/443/tls/ws',
    ],
    ['/ip4/192.0.2.1/tcp/1/ws/p2p-circuit', '/ip4/192.0.2.1/tcp/1/ws'],
    [`/p2p/${ada}/p2p-circuit`, ''],
    ['/p2p-circuit', ''],
  ])('of %s is %j', (address, host) => {
    expect(hostPart(multiaddr(address))).toBe(host)
  })
})
