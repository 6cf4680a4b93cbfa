import { cryptoWork } from '../crypto-work.ts'

/** Turns in a row without any cryptography under way, after which all has come to rest. */
const QUIET_TURNS = 4

const { setImmediate } = globalThis as { setImmediate?: (task: () => void) => unknown }

/**
 * One turn of the event loop: all promises that could go on have gone on. Where
 * nothing waits for the world outside (no network, no WebCrypto), this is all it
 * takes for everything to come to rest.
 */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    // A timer of 0 ms takes 1 ms in Node, and 4 ms in browsers.
    if (setImmediate !== undefined) setImmediate(resolve)
    else viaChannel(resolve)
  })
}

function viaChannel(task: () => void): void {
  const { port1, port2 } = new MessageChannel()
  port1.onmessage = () => {
    port1.close()
    task()
  }
  port2.postMessage(undefined)
}

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
