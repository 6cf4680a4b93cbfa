import { describe, expect, it } from 'vitest'
import { rateKeyOf } from '../../../src/node/rate-key.ts'

describe('the key of an address', () => {
  it('is the same for an IPv4 address and the same inside IPv6', () => {
    expect(rateKeyOf('::ffff:192.0.2.1')).toBe(rateKeyOf('192.0.2.1'))
    expect(rateKeyOf('192.0.2.1')).not.toBe(rateKeyOf('192.0.2.2'))
  })

  it('is the same for all addresses of an IPv6 /64, and another for the next', () => {
    expect(rateKeyOf('2001:db8:1:2:3:4:5:6')).toBe(rateKeyOf('2001:db8:1:2::1'))
    expect(rateKeyOf('2001:db8:1:2::1')).not.toBe(rateKeyOf('2001:db8:1:3::1'))
  })

  it('is the text itself where it is no address', () => {
    expect(rateKeyOf('unknown')).toBe('unknown')
  })
})
