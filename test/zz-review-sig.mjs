import { openSpace } from '../dist/index.js'
import { createGhostNode } from '../dist/node/index.js'
import { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { identify } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import { lpStream } from '@libp2p/utils'
import { multiaddr } from '@multiformats/multiaddr'
process.on('unhandledRejection', (e) => console.log('UNHANDLED', e)); process.on('uncaughtException', (e) => console.log('UNCAUGHT', e))
const logger = { debug() {}, warn(...m) { console.log('WARN', ...m) } }
const node = await createGhostNode({ host: '127.0.0.1', port: 0, logger })
const ada = await openSpace('x', { nodes: [node.url], identity: 'ephemeral', logger })
const chat = await ada.joinChat('r')
await new Promise((r) => setTimeout(r, 3000))
const { peerId, direct } = await ada.diagnose(); console.log('available', direct.isAvailable)
const msg = (type, data) => { const d = Buffer.from(data); const len = []; let n = d.length; while (n > 127) { len.push(n & 127 | 128); n >>= 7 } len.push(n); return Buffer.concat([Buffer.from([8, type, 0x12, ...len]), d]) }
const sdp = 'v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=sendrecv\r\na=sctp-port:5000\r\na=max-message-size:262144\r\na=setup:actpass\r\na=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwxyz\r\na=fingerprint:sha-256 ' + Array(32).fill('AA').join(':') + '\r\n'
const cand = (c, mid = '0') => msg(2, JSON.stringify({ candidate: c, sdpMid: mid, sdpMLineIndex: 0 }))
const cases = {
  garbage: [Buffer.from([255, 255, 255])], emptySdp: [msg(0, '')], junkSdp: [msg(0, 'hello\r\n\0\0')], bigSdp: [msg(0, 'v=0\r\n' + 'a=x\r\n'.repeat(3000))],
  mline: [msg(0, sdp + 'm=audio 9 UDP/TLS/RTP/SAVPF 0\r\n'.repeat(300))], answerFirst: [msg(1, sdp)],
  candGarbage: [msg(0, sdp), msg(2, 'not json'), msg(2, '{}'), msg(2, 'null'), msg(2, '""'), msg(2, '[]')],
  candBad: [msg(0, sdp), cand('candidate:1 1 udp 1 999.1.1.1 1 typ host'), cand('x'), cand('candidate:'), cand('candidate:1 1 UDP 1 127.0.0.1 99999999 typ host'), cand('', 'zzz')],
  candFlood: [msg(0, sdp), ...Array.from({ length: 3000 }, (_, i) => cand(`candidate:${i} 1 UDP 1 127.0.0.1 ${1024 + i} typ host`))],
  number: [msg(0, sdp), msg(2, '{"candidate":5}'), msg(2, '{"candidate":{"a":1},"sdpMid":{}}')],
  slow: [], fp: [msg(0, sdp.replace('sha-256', 'sha-999')), cand('candidate:1 1 UDP 1 127.0.0.1 9 typ host')],
}
let i = 0
for (const [name, frames] of Object.entries(cases)) {
  if (i++ % 4 === 0 && i > 1) await new Promise((r) => setTimeout(r, 16000))
  const p = await createLibp2p({ transports: [webSockets(), circuitRelayTransport()], connectionEncrypters: [noise()], streamMuxers: [yamux()], services: { identify: identify() } })
  try {
    const c = await p.dial(multiaddr(`${node.multiaddrs[0]}/p2p-circuit/p2p/${peerId}`))
    const s = await c.newStream('/webrtc-signaling/0.0.1', { runOnLimitedConnection: true })
    const lp = lpStream(s)
    for (const f of frames) await lp.write(f)
    const r = await Promise.race([lp.read().then((x) => 'answer ' + x.byteLength, (e) => 'end ' + e.message), new Promise((r) => setTimeout(() => r('silence'), 1200))])
    console.log(name, r)
  } catch (e) { console.log(name, 'client error', e.message) }
  setTimeout(() => p.stop().catch(() => {}), 3000)
}
await new Promise((r) => setTimeout(r, 5000))
console.log('alive', (await chat.send('x')).status, process.memoryUsage().rss >> 20)
await ada.close(); await node.stop()
const t = Date.now(); process.on('exit', () => console.log('exit after', Date.now() - t)); setTimeout(() => { console.log('ALIVE', process.getActiveResourcesInfo()); process.exit(3) }, 25000).unref()
