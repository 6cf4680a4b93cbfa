/** WebRTC in Node, as `#webrtc`; see `webrtc-browser.ts`. The native module is optional: it has no binary for every platform. */
import { RTCPeerConnection } from 'node-datachannel/polyfill'

export { webRTC as transport } from '@libp2p/webrtc'
export { PeerConnection } from './node-peer-connection.ts'

/**
 * In browsers, closing a connection closes its channels. Here one that stays open keeps the process alive for ever, as
 * libp2p's `init` channel does when no direct way was found.
 */
const { createDataChannel, close } = RTCPeerConnection.prototype
const channels = new WeakMap<object, RTCDataChannel[]>()

RTCPeerConnection.prototype.createDataChannel = function (this: object, ...args) {
  const channel = createDataChannel.apply(this as never, args)
  const open = (channels.get(this) ?? []).filter(({ readyState }) => readyState !== 'closed')
  channels.set(this, [...open, channel])
  return channel
}
RTCPeerConnection.prototype.close = function (this: object) {
  for (const channel of channels.get(this) ?? []) if (channel.readyState !== 'closed') channel.close()
  channels.delete(this)
  close.apply(this as never)
}
