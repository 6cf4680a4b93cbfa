import type { Libp2p, PeerId } from '@libp2p/interface'
import { type Clock, steady } from '../clock.ts'

/** How long after its last connection ended a peer is forgotten: it may be back, and libp2p may still be writing what it learned. */
const FORGET_AFTER_MS = 30_000

/**
 * Has a libp2p node forget peers that are gone. It would remember each for hours, and whoever comes back after a
 * reload is another peer.
 */
export function forgetPeers(libp2p: Libp2p, wall: Clock): void {
  const clock = steady(wall)
  /** By peer id, and since when; who went first comes first. */
  const gone = new Map<string, { peerId: PeerId; at: number }>()
  let cancel: (() => void) | undefined
  const forget = (): void => {
    cancel = undefined
    for (const [key, { peerId, at }] of gone) {
      const waitMs = at + FORGET_AFTER_MS - clock.now()
      if (waitMs > 0) {
        cancel = clock.after(waitMs, forget)
        return
      }
      gone.delete(key)
      // A store that cannot forget is no reason to end.
      if (libp2p.getConnections(peerId).length === 0) libp2p.peerStore.delete(peerId).catch(() => {})
    }
  }
  libp2p.addEventListener('peer:disconnect', ({ detail: peerId }) => {
    const key = peerId.toString()
    gone.delete(key)
    gone.set(key, { peerId, at: clock.now() })
    cancel ??= clock.after(FORGET_AFTER_MS, forget)
  })
  libp2p.addEventListener('stop', () => cancel?.())
}
