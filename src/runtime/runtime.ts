import type { KeyStore } from '../identity/key-store.ts'
import type { WebRtc } from '../network/direct.ts'

/** What differs between a browser and Node. */
export interface Runtime {
  /** Where the keys of `'stored'` identities are kept. */
  keyStore(): KeyStore
  /** libp2p's WebRTC transport, or nothing where there is no WebRTC. Loaded when it is asked for. */
  loadWebRtc(): Promise<WebRtc | undefined>
  /**
   * Tells when the page goes away, comes back, and when a new attempt to connect
   * is worth it. Answers a function that ends that.
   */
  watchPage(watcher: PageWatcher): () => void
}

/** Who wants to know what happens to the page. */
export interface PageWatcher {
  /** The page is going away, maybe for good. What is not done when this returns may not be done at all. */
  hidden(): void
  /** The page is back from the back-forward cache. */
  shown(): void
  /** The machine came online, or the page is looked at again. */
  awake(): void
}
