/**
 * Keeps book of what a page makes to reach others. Loaded before everything
 * else, so that nobody got hold of the originals.
 */
declare global {
  interface Window {
    madeConnections: RTCPeerConnection[]
    madeSockets: WebSocket[]
  }
}

window.madeConnections = []
window.madeSockets = []

const NativeConnection: typeof RTCPeerConnection | undefined = window.RTCPeerConnection
if (NativeConnection !== undefined) {
  window.RTCPeerConnection = class extends NativeConnection {
    constructor(configuration?: RTCConfiguration) {
      super(configuration)
      window.madeConnections.push(this)
    }
  }
}

const NativeSocket = window.WebSocket
window.WebSocket = class extends NativeSocket {
  constructor(url: string | URL, protocols?: string | string[]) {
    super(url, protocols)
    window.madeSockets.push(this)
  }
}

export {}
