/** WebRTC in Node, as `#webrtc`; see `webrtc-browser.ts`. The native module is optional: it has no binary for every platform. */
export { webRTC as transport } from '@libp2p/webrtc'
export { RTCPeerConnection as PeerConnection } from 'node-datachannel/polyfill'
