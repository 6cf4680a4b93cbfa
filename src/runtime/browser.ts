import type { WebRtc } from '../network/direct.ts'
import { createIndexedDbKeyStore } from './browser-key-store.ts'
import type { PageWatcher, Runtime } from './runtime.ts'

/** A browser: keys in IndexedDB, and a page that may go away at any time. */
export const runtime: Runtime = {
  keyStore: () => createIndexedDbKeyStore(),
  loadWebRtc: async () => (typeof RTCPeerConnection === 'undefined' ? undefined : loadWebRtc()),
  watchPage,
}

async function loadWebRtc(): Promise<WebRtc> {
  const { transport, PeerConnection } = await import('#webrtc')
  return { transport, PeerConnection: PeerConnection as WebRtc['PeerConnection'] }
}

function watchPage(watcher: PageWatcher): () => void {
  // A worker has neither document nor pagehide.
  if (typeof document === 'undefined') return () => {}
  const listening = new AbortController()
  const { signal } = listening
  addEventListener('pagehide', () => watcher.hidden(), { signal })
  addEventListener('pageshow', (event) => event.persisted && watcher.shown(), { signal })
  addEventListener('online', () => watcher.awake(), { signal })
  const onVisibility = (): void => {
    if (document.visibilityState === 'visible') watcher.awake()
  }
  document.addEventListener('visibilitychange', onVisibility, { signal })
  // A frozen tab is thawed (Page Lifecycle; browsers of Chromium's kind).
  document.addEventListener('resume', () => watcher.awake(), { signal })
  return () => listening.abort()
}
