import type { DelegatedRoutingV1HttpApiClient } from '@helia/delegated-routing-v1-http-api-client'
import type { ComponentLogger, Logger } from '@libp2p/interface'
import { readRoutingAnswer } from './routing-answer.ts'

/** Far beyond our own, because it must never fire; see {@link heliaOver}. */
const HELIA_TIMEOUT_MS = 10 * 60_000

/** One request to an endpoint, made and bounded by ourselves. */
export class RoutingRequest {
  readonly #signal: AbortSignal
  /** What went wrong, if anything did. */
  failure: unknown

  constructor(signal: AbortSignal) {
    this.#signal = signal
  }

  /** The answer as Helia's client reads it: always a stream of records, which ends where something is wrong. */
  respond(url: string): Response {
    const records = this.#records(url)
    const body = new ReadableStream<Uint8Array<ArrayBuffer>>(
      {
        async pull(controller) {
          const { done, value } = await records.next()
          if (done) controller.close()
          else controller.enqueue(new TextEncoder().encode(`${JSON.stringify(value)}\n`))
        },
      },
      // Nothing is read ahead of who reads.
      { highWaterMark: 0 },
    )
    const headers = {
      'content-type': 'application/x-ndjson',
      'x-cache-expires': String(Number.MAX_SAFE_INTEGER),
    }
    return new Response(body, { headers })
  }

  async *#records(url: string): AsyncGenerator<object> {
    try {
      const response = await fetch(url, {
        signal: this.#signal,
        headers: { accept: 'application/x-ndjson, application/json;q=0.8' },
        credentials: 'omit',
        redirect: 'error',
      })
      yield* readRoutingAnswer(response)
    } catch (thrown) {
      this.failure = thrown
    }
  }
}

/**
 * Helia's client for one request, which we make ourselves: it finds the answer
 * where it looks for a cached one first. It is loaded when it is needed.
 *
 * Left to itself, version 9 of it
 * - reads without end: neither an answer nor a line of it is bounded;
 * - rejects a promise that nobody handles when its signal, its own timeout of
 *   30 s or `stop()` comes while it reads a stream, and Node ends the process for
 *   that: `cancel()` of a stream that is locked. So it gets no signal, and a
 *   timeout that never comes; the stream is ours to end;
 * - hides every failure of `getPeers`, as if the peer were unknown;
 * - answers from the browser's Cache for five minutes after `start()`, and
 *   `stop()` deletes that cache, which may be of another Helia in the page: it is
 *   neither started nor stopped;
 * - gives two requests for one URL the same answer, and the signal of the first;
 *   makes four at a time, and the wait counts for the timeout: a client a request;
 * - drops a peer for one address it cannot read, and a stream for one line;
 * - needs a URL that ends in a slash.
 */
export async function heliaOver(
  base: URL,
  request: RoutingRequest,
): Promise<DelegatedRoutingV1HttpApiClient> {
  const { delegatedRoutingV1HttpApiClient } = await import('@helia/delegated-routing-v1-http-api-client')
  const helia = delegatedRoutingV1HttpApiClient({ url: base, cacheTTL: 0, timeout: HELIA_TIMEOUT_MS })({
    logger,
  })
  // Private to TypeScript only; a test and this check hold it.
  if (!('cache' in helia)) throw new Error('this version of Helia’s client cannot be used')
  const cache = { match: async (url: string) => request.respond(url) }
  Object.assign(helia, { cache })
  return helia
}

const log: Logger = Object.assign(() => {}, {
  enabled: false,
  error: () => {},
  trace: () => {},
  newScope: () => log,
})
const logger: ComponentLogger = { forComponent: () => log }
