import type { Libp2p, PeerId } from '@libp2p/interface'
import type { Clock } from '../clock.ts'

/** How long after its last connection ended a peer is forgotten: it may be back, and libp2p may still be writing what it learned. */
const FORGET_AFTER_MS = 30_000

/**
 * Has a libp2p node forget peers that are gone. It would remember each for hours, and whoever comes back after a
 * reload is another peer.
 */
export function forgetPeers(libp2p: Libp2p, clock: Clock): void {
  const gone = new Map<string, PeerId>()
  let cancel: (() => void) | undefined
  const forget = (): void => {
    cancel = undefined
    for (const peerId of gone.values()) {
      if (libp2p.getConnections(peerId).length > 0) continue
      // A store that cannot forget is no reason to end.
      libp2p.peerStore.delete(peerId).catch(() => {})
    }
    gone.clear()
  }
  libp2p.addEventListener('peer:disconnect', ({ detail: peerId }) => {
    gone.set(peerId.toString(), peerId)
    cancel ??= clock.after(FORGET_AFTER_MS, forget)
  })
  libp2p.addEventListener('stop', () => cancel?.())
}
