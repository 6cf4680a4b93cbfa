import { isIP } from 'node:net'
import { rateKeyOf } from '../../../src/node/rate-key.ts'
import { ipBytes } from '../../../src/wire/ip-address.ts'
import { bytesOf, textOf } from '../support/input.ts'
import { promise, type Target } from '../target.ts'

const TEXTS = ['192.0.2.1', '::', '::1', '2001:db8::1', '::ffff:192.0.2.1', 'fe80::1%eth0', '1:2:3:4:5:6:7:8']

/** The address of whoever asks, with Node's own opinion beside ours. */
export const ipAddress: Target = {
  name: 'ip-address',
  run(input) {
    const text = textOf(input)
    const bytes = ipBytes(text)
    rateKeyOf(text)
    if (isIP(text) !== 0) promise(bytes !== undefined, 'what Node takes for an address is one')
    if (bytes === undefined) return
    promise(bytes.length === 4 || bytes.length === 16, 'an address has 4 or 16 bytes')
    // Whatever stands behind the percent sign is the name of an interface.
    promise(isIP(text.replace(/%.*$/s, '')) !== 0, 'what Node does not take for an address is none')
  },
  seeds: () => [...TEXTS, '01.2.3.4', '1.2.3', '::1::', '1:2:3:4:5:6:1.2.3.4'].map(bytesOf),
  words: ['::', '.', ':', '%', 'ffff', '255', '0'],
  maxBytes: 64,
  runs: 1_200_000,
}
