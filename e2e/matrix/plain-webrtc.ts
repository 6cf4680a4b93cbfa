import type { Tab } from './lab/tab.ts'

/**
 * Connects two browsers by WebRTC without GhostChat, with the test as the
 * messenger between them. Answers `failed` as soon as one of them gave up: where
 * it learnt of nobody to try, Chromium waits for ever.
 */
export async function connectPlainly(
  caller: Tab,
  callee: Tab,
  iceServers: RTCIceServer[],
): Promise<'open' | 'failed'> {
  await callee.do('open', { iceServers, isCaller: false })
  await caller.do('open', { iceServers, isCaller: true })
  const outcomes = [caller.do('outcome'), callee.do('outcome')]
  const both = Promise.all(outcomes).then((all) => (all.includes('failed') ? 'failed' : 'open'))
  const messengers = [carry(caller, callee), carry(callee, caller)]
  return Promise.race([
    both,
    ...outcomes.map((outcome) => outcome.then((result) => (result === 'failed' ? result : both))),
    ...messengers.map((messenger) => messenger.then(() => both)),
  ])
}

/** Carries what one end has to tell to the other, until it has told everything. */
async function carry(from: Tab, to: Tab): Promise<void> {
  for (;;) {
    const signals = await from.do('signals')
    if (signals.length === 0) return
    await to.do('hear', signals)
  }
}
