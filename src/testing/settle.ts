import { cryptoWork } from '../crypto-work.ts'
import { turn } from '../turn.ts'

/** Turns in a row without any cryptography under way, after which all has come to rest. */
const QUIET_TURNS = 4

/**
 * Waits until what is under way (signatures, verifications, deliveries) has come
 * to rest. It knows of GhostChat's own cryptography, which answers from another
 * thread, and waits for it as long as that takes; a signer of your own that does so is
 * given a few turns of the event loop.
 */
export async function settle(): Promise<void> {
  for (let quiet = 0; quiet < QUIET_TURNS; ) {
    await turn()
    quiet = (await cryptoWork.rest()) ? quiet + 1 : 0
  }
}
