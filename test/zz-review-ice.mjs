import { createRequire } from 'node:module'
const { RTCPeerConnection } = await import('node-datachannel/polyfill')
if (!RTCPeerConnection) { console.log('no polyfill path') }
for (const urls of ['stun:a:b:c','stun:%%%','stun::','stun:host:99999999','turn:x?transport=zzz','stun:host?transport=udp','stun:[::1','turns:x:443','stun:'+'a'.repeat(255)+':1','stun:\u0000x', 'stun:x:-1']) {
  try { const pc = new RTCPeerConnection({ iceServers: [{ urls, username: 'u', credential: 'c' }] }); pc.createDataChannel('x'); await pc.setLocalDescription(await pc.createOffer()); await new Promise(r=>setTimeout(r,50)); console.log('ok   ', JSON.stringify(urls).slice(0,40)); pc.close() }
  catch (e) { console.log('THROW', JSON.stringify(urls).slice(0,40), e.name, String(e.message).slice(0,80)) }
}
setTimeout(()=>process.exit(0),200)
