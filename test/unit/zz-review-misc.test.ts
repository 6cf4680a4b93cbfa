import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { it } from 'vitest'
import { openPeerRecord, sealPeerRecord } from '../../src/discovery/peer-record.ts'
import { Registry } from '../../src/node/rendezvous/registry.ts'
import { systemRandom } from '../../src/random.ts'
import { ManualClock } from '../../src/testing/index.ts'
import { KnownNodes } from '../../src/network/known-nodes.ts'
import { AddressBook } from '../../src/network/address-book.ts'

it('addresses that throw', async () => {
  const key = await generateKeyPair('Ed25519')
  const id = peerIdFromPrivateKey(key).toString()
  for (const a of ['/unix/%2Ftmp%2Fx', '/memory/1', `/p2p/${id}`, '/p2p-circuit', '/ip4/1.2.3.4/tcp/1/ws/http-path/a%2Fb', '/dns4/a%2Fp2p%2Fx/tcp/1/ws', '/ip6zone/eth0/ip6/fe80::1/tcp/1/ws', '/ip4/1.2.3.4/ipcidr/8', '/webrtc', '/dns4/%zz/tcp/1/ws', '/dns4/%2500/tcp/1/ws', '/sni/a/ws']) {
    try {
      const r = await openPeerRecord(await sealPeerRecord(key, 'multicodec', [multiaddr(a)], 1n))
      const m = r?.addresses[0]
      let e: string
      try { e = m === undefined ? 'none' : m.encapsulate(multiaddr(`/p2p/${id}`)).toString().slice(0, 60); m?.getComponents() } catch (x) { e = 'THROWS ' + (x as Error).message }
      console.log('ADDR', a.slice(0, 40), '->', e)
    } catch (x) { console.log('ADDR', a, 'seal', (x as Error).message) }
  }
})
it('foreign ttl 0', () => {
  const clock = new ManualClock()
  const registry = new Registry({ clock, random: systemRandom })
  const r = registry.register({ namespace: 'n', peerId: 'p', addresses: ['/ip4/1.2.3.4/tcp/1'], signedPeerRecord: new Uint8Array([1]), sequence: 1n, form: 'multicodec', origin: 'node', ttlSeconds: Math.min(0, 60) } as never)
  console.log('FOREIGN TTL0', r)
})
it('routing replaces what rendezvous signed', () => {
  const book = new AddressBook(new ManualClock())
  book.add('t', [{ peerId: 'ada', addresses: [multiaddr('/ip4/1.2.3.4/tcp/1/ws/p2p-circuit/webrtc')] }])
  book.add('t', [{ peerId: 'ada', addresses: [] }])
  console.log('BOOK', book.addressesOf('ada').length)
  book.forget('t'); book.add('t', [{ peerId: 'ada', addresses: [] }]); console.log('BOOK after forget', book.peersIn('t'))
  book.add('u', [{ peerId: 'ada', addresses: [] }])
  for (let i = 0; i < 256; i++) book.add('u', [{ peerId: 'fake' + i, addresses: [] }])
  console.log('BOOK evicted', !book.peersIn('u').includes('ada'))
})
