import { isDeepStrictEqual } from 'node:util'
import { decodeRendezvous, encodeRendezvous, REGISTRATIONS_MAX } from '../../../src/wire/rendezvous.ts'
import { rendezvousMessages } from '../support/rendezvous.ts'
import { promise, type Target } from '../target.ts'

/** A message of the rendezvous protocol. */
export const rendezvous: Target = {
  name: 'rendezvous',
  run(input) {
    const message = decodeRendezvous(input)
    if (message === undefined) return
    if (message.type === 'discover-response') {
      promise(
        message.registrations.length <= REGISTRATIONS_MAX,
        'an answer has 1,000 registrations at the most',
      )
    }
    promise(
      isDeepStrictEqual(decodeRendezvous(encodeRendezvous(message)), message),
      'what is written is read',
    )
  },
  seeds: rendezvousMessages,
  maxBytes: 2_048,
  runs: 800_000,
}
