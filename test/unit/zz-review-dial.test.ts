import { multiaddr } from '@multiformats/multiaddr'
import { multiaddrToUri } from '@multiformats/multiaddr-to-uri'
import { webSockets } from '@libp2p/websockets'
import { expect, it } from 'vitest'
import { DialPolicy } from '../../src/network/dial-policy.ts'
it('x', () => {
  const policy = new DialPolicy({ allowPrivate: false, isTrusted: () => false })
  const log = () => {}
  const ws = webSockets()({ logger: { forComponent: () => log } } as never)
  const P = '/p2p/12D3KooWGzBXWNvHpLALvz3jhwdMF3jcztLFQp9N2yQQZ9pYqe4A'
  const list = ['/dns4/127.0.0.1/tcp/8080/ws','/dns4/127.1/tcp/8080/ws','/dns4/0x7f.1/tcp/80/ws','/dns/192.168.1.1/tcp/80/ws','/dns6/::ffff:127.0.0.1/tcp/80/ws','/dns/%31%32%37.0.0.1/tcp/80/ws','/dns4/１２７.0.0.1/tcp/80/ws','/dns4/evil.example@127.0.0.1/tcp/80/ws','/dns4/127.0.0.1#.evil.example/tcp/80/ws', '/dns4/127.0.0.1?.evil.example/tcp/80/ws',
  '/ip4/8.8.8.8/tcp/8443/tls/sni/192.168.1.1/ws','/ip4/8.8.8.8/tcp/8443/tls/sni/localhost/ws','/dns4/ok.example/tcp/22/tls/sni/127.0.0.1/ws',
  '/ip4/0.0.0.0/tcp/80/ws','/ip4/100.64.0.1/tcp/80/ws','/ip4/169.254.169.254/tcp/80/ws','/ip4/255.255.255.255/tcp/80/ws','/ip4/224.0.0.1/tcp/80/ws','/ip4/198.18.0.1/tcp/1/ws','/ip4/192.0.0.1/tcp/1/ws',
  '/ip6/::/tcp/1/ws','/ip6/::1/tcp/1/ws','/ip6/::ffff:127.0.0.1/tcp/1/ws','/ip6/64:ff9b::7f00:1/tcp/1/ws','/ip6/2001:0:7f00:1::/tcp/1/ws','/ip6/fd00::1/tcp/1/ws','/ip6/fe80::1/tcp/1/ws','/ip6/2001:db8::1/tcp/1/ws',
  '/ip4/8.8.8.8/ip4/127.0.0.1/tcp/80/ws','/ip4/8.8.8.8/tcp/80/ip4/127.0.0.1/tcp/81/ws','/ip4/8.8.8.8/tcp/80/ws/ip4/127.0.0.1/tcp/81/ws','/ip4/8.8.8.8/tcp/80/dns4/127.0.0.1/tcp/81/ws','/dnsaddr/evil.example','/dns4/a.localhost%2e/tcp/1/ws','/dns4/foo.localdomain/tcp/80/ws','/dns4/router.home/tcp/80/ws','/dns4/x.intranet/tcp/80/ws','/dns4/x.corp/tcp/80/ws']
  for (const a of list) {
    let permits: unknown, uri: unknown, filter: unknown
    try { const m = multiaddr(a + P); permits = policy.permits(m); 
      try { filter = (ws as any).dialFilter ? (ws as any).dialFilter([m]).length : '-' } catch (e) { filter = 'E' }
      try { uri = multiaddrToUri(m.decapsulate(P)) } catch (e) { uri = 'URI ' + (e as Error).message } } catch (e) { permits = 'ERR ' + (e as Error).message }
    console.log(a.padEnd(60), permits, filter, uri)
  }
})
