import type { Clock } from '../clock.ts'
import { BACKLOG_MAX_DEVICES, BACKLOG_TIMEOUT_MS } from '../limits.ts'
import type { Channel, FrameStream } from '../network/network.ts'
import { type BacklogRequest, decodeAnswer, encodeRequest } from '../wire/backlog.ts'

/** What became of asking one peer. */
export interface BacklogOutcome {
  /** How many events of it were new. */
  accepted: number
  /** The peer has older events than it sent. */
  more: boolean
}

/** A peer does not answer, or not as it should: it is not worth asking again. */
export class BacklogRefusal extends Error {}

/**
 * Asks one peer for its backlog and puts what it answers through `admitAll`, as
 * it comes. Events that were admitted before something went wrong stay.
 *
 * Rejects when the peer cannot be reached or the stream breaks; with a
 * {@link BacklogRefusal} when it is busy, takes over 10 s, sends more than was
 * asked, or sends an event that the gate rejects: somebody who forges one event is
 * not believed about what it leaves out either.
 */
export async function askBacklog(
  channel: Channel,
  peerId: string,
  request: BacklogRequest,
  options: {
    admitAll: (jwts: string[]) => Promise<{ accepted: number; rejected: boolean }>
    clock: Clock
    signal: AbortSignal
  },
): Promise<BacklogOutcome> {
  const timeout = new AbortController()
  const cancel = options.clock.after(BACKLOG_TIMEOUT_MS, () =>
    timeout.abort(new BacklogRefusal('no answer in time')),
  )
  try {
    const signal = AbortSignal.any([options.signal, timeout.signal])
    return await ask(await channel.open(peerId, { signal }), request, options.admitAll, signal)
  } catch (thrown) {
    throw timeout.signal.aborted ? timeout.signal.reason : thrown
  } finally {
    cancel()
  }
}

async function ask(
  stream: FrameStream,
  request: BacklogRequest,
  admitAll: (jwts: string[]) => Promise<{ accepted: number; rejected: boolean }>,
  signal: AbortSignal,
): Promise<BacklogOutcome> {
  const abort = (): void => stream.abort(new Error('backlog request was given up'))
  signal.addEventListener('abort', abort, { once: true })
  try {
    signal.throwIfAborted()
    await stream.send(encodeRequest(request))
    let accepted = 0
    let received = 0
    for await (const frame of stream.frames) {
      const answer = decodeAnswer(frame)
      if (answer === undefined) throw new BacklogRefusal('malformed backlog answer')
      if (answer.kind === 'busy') throw new BacklogRefusal('the peer is busy')
      if (answer.kind === 'done') return { accepted, more: answer.more }
      received += answer.jwts.length
      if (received > request.limit + BACKLOG_MAX_DEVICES)
        throw new BacklogRefusal('the backlog answer does not end')
      const result = await admitAll(answer.jwts)
      accepted += result.accepted
      if (result.rejected) throw new BacklogRefusal('the backlog answer has a forged event')
    }
    throw new Error('the backlog answer broke off')
  } catch (thrown) {
    abort()
    throw thrown
  } finally {
    signal.removeEventListener('abort', abort)
    void stream.close()
  }
}
