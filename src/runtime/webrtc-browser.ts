/**
 * WebRTC in browsers, as `#webrtc`: libp2p's transport, and the browser's own connection.
 *
 * The transport is built into the package, because as a dependency it brings React Native to everybody who installs it.
 */
export { webRTC as transport } from '@libp2p/webrtc'

export const PeerConnection = globalThis.RTCPeerConnection
