import { tryMultiaddr, urlOf } from '../../../src/discovery/node-address.ts'
import { hostPart } from '../../../src/network/dial-policy.ts'
import { decodeNodeInfo, isIceServer, NODE_INFO_MAX_BYTES } from '../../../src/wire/node-info.ts'
import { bytesOf, textOf } from '../support/input.ts'
import { promise, type Target } from '../target.ts'

const LIST_MAX = 32
const ICE_SERVERS_MAX = 8

/** What a node says of itself, and what a client does with it. */
export const nodeInfo: Target = {
  name: 'node-info',
  run(input) {
    const info = decodeNodeInfo(textOf(input))
    if (info === undefined) return
    promise(info.multiaddrs.length <= LIST_MAX && info.peers.length <= LIST_MAX, '32 addresses at the most')
    promise(info.iceServers.length <= ICE_SERVERS_MAX, '8 servers at the most')
    promise(!Number.isNaN(new Date(info.time).getTime()), 'the time is one')
    for (const server of info.iceServers) {
      promise(isIceServer(server), 'a server is one that WebRTC takes')
      for (const url of [server.urls].flat())
        promise(/^(?:stun|turn)s?:[^\s/@#]+$/i.test(url), 'a URL is one')
    }
    for (const text of [...info.multiaddrs, ...info.peers]) {
      const address = tryMultiaddr(text)
      if (address === undefined) continue
      hostPart(address)
      urlOf(address)
    }
  },
  seeds: () => {
    const peerId = '12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN'
    const address = `/dns4/node.example/tcp/443/tls/ws/p2p/${peerId}`
    const info = { version: '1.0.0', peerId, multiaddrs: [address], time: 1_800_000_000_000 }
    const turn = { urls: ['turn:node.example:3478?transport=udp'], username: 'u', credential: 'c' }
    const iceServers = [{ urls: 'stun:192.0.2.1:3478' }, turn, { urls: 'stuns:[2001:db8::1]' }]
    return [
      info,
      { ...info, time: 8.64e15 },
      { ...info, time: -8.7e15, stunPort: 70_000 },
      { ...info, stunPort: 3478, iceServers, peers: [address] },
      { ...info, other: [null] },
    ].map((each) => bytesOf(JSON.stringify(each)))
  },
  words: [
    ...['1e300', '65536', '-0', 'null'],
    ...['"version":', '"peerId":', '"multiaddrs":', '"time":', '"stunPort":', '"iceServers":', '"peers":'],
    ...[
      '"urls":',
      '"username":',
      '"credential":',
      'stun:',
      'turns:',
      '?transport=tcp',
      '/ip6/',
      '/p2p-circuit/p2p/',
    ],
  ],
  maxBytes: NODE_INFO_MAX_BYTES,
  runs: 800_000,
}
