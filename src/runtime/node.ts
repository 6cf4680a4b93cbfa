import type { WebRtc } from '../network/direct.ts'
import { createFileKeyStore } from './node-key-store.ts'
import type { Runtime } from './runtime.ts'

/** Node: keys in files, WebRTC from a native module, and no page. */
export const runtime: Runtime = {
  keyStore: () => createFileKeyStore(),
  loadWebRtc: () =>
    import('#webrtc').then(
      ({ transport, PeerConnection }) => ({
        transport,
        PeerConnection: PeerConnection as unknown as WebRtc['PeerConnection'],
      }),
      // `node-datachannel` is optional: it has no binary for every platform.
      () => undefined,
    ),
  watchPage: () => () => {},
}
