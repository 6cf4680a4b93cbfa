import { expect, test } from 'vitest'
import { measureSync } from '../support/sync-cost.ts'

test('10 of 1,000 messages missing cost at most 4 KiB on the stream beyond the ten, wherever they lie and whoever misses them', async () => {
  const costs = await measureSync()
  expect(costs.map(({ events }) => events)).toEqual([0, ...Array(9).fill(10)])
  for (const cost of costs) expect(cost.overheadBytes, JSON.stringify(cost)).toBeLessThanOrEqual(4 * 1024)
  // All of it is on the connection, and what libp2p adds is no more than that again.
  for (const { tcpBytes, streamBytes } of costs) {
    expect(tcpBytes).toBeGreaterThan(streamBytes)
    expect(tcpBytes).toBeLessThan(streamBytes + 4 * 1024)
  }
}, 60_000)
