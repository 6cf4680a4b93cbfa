import { Gate } from '../../../src/gate/gate.ts'
import { admitGossip } from '../../../src/gate/gossip.ts'
import { createVerifier } from '../../../src/identity/verifier.ts'
import { FRAME_MAX_BYTES } from '../../../src/limits.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { encodeFrame } from '../../../src/wire/frame.ts'
import { NOW, signClaims, TOPIC, testAuthor } from '../../support/authors.ts'
import { conversation, someClaims } from '../support/events.ts'
import { bytesOf } from '../support/input.ts'
import { promise, type Target } from '../target.ts'

const verifier = createVerifier()
const authors = [0, 1, 2, 3].map(testAuthor)

/** Everything that was ever signed. */
const genuine = [...conversation(), ...someClaims(12)].map((claims) => {
  const author = authors.find(({ did }) => did === claims.iss) ?? testAuthor(0)
  return signClaims(author, claims)
})
const signed = new Set(genuine)

/** The gate with the verifier of the product: what nobody signed never counts. */
export const gateVerified: Target = {
  name: 'gate-verified',
  async run(input) {
    const gate = new Gate({ topic: TOPIC, clock: new ManualClock(NOW), verifier })
    const { verdict, events } = await admitGossip(gate, input)
    promise(
      events.every(({ jwt }) => signed.has(jwt)),
      'nobody can forge an event',
    )
    promise(verdict !== 'accept' || events.length > 0, 'what travels on has something new in it')
  },
  seeds: () => [
    ...genuine.map(bytesOf),
    encodeFrame(genuine.slice(0, 3)),
    encodeFrame(genuine),
    encodeFrame([...genuine].reverse()),
  ],
  words: ['\n', '.', ...genuine.slice(0, 4), ...genuine.slice(0, 3).map((jwt) => jwt.split('.')[2] ?? '')],
  maxBytes: FRAME_MAX_BYTES,
  runs: 150_000,
  leavesThread: true,
}
