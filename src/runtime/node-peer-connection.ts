import { lookup } from 'node:dns/promises'
import { RTCPeerConnection } from 'node-datachannel/polyfill'

/** The connection of a diagnosis: as in browsers, it fails where the name of a server is not known. */
export class PeerConnection extends RTCPeerConnection {
  override async setLocalDescription(
    ...args: Parameters<RTCPeerConnection['setLocalDescription']>
  ): Promise<void> {
    const urls = (this.getConfiguration().iceServers ?? []).flatMap((server) => server.urls)
    const hosts = urls.flatMap((url) => /^\w+:([^:?[]+)/.exec(url)?.[1] ?? [])
    const isKnown = await Promise.all(hosts.map((host) => lookup(host).then(Boolean, () => false)))
    const { onicecandidateerror } = this as unknown as { onicecandidateerror: (() => void) | null }
    if (isKnown.includes(false)) onicecandidateerror?.()
    await super.setLocalDescription(...args)
  }
}
