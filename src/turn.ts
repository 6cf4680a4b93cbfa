const { setImmediate } = globalThis as { setImmediate?: (task: () => void) => unknown }

/**
 * One turn of the event loop: all promises that could go on have gone on. Where
 * nothing waits for the world outside (no network, no WebCrypto), this is all it
 * takes for everything to come to rest.
 */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    // A timer of 0 ms takes 1 ms in Node, 4 ms in browsers, and a second in a page that nobody looks at.
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
