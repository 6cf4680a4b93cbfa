/**
 * For the tests of dapps: rooms without a network, time that is set by hand, and
 * randomness that can be repeated.
 *
 * @packageDocumentation
 */

export { turn } from '../turn.ts'
export type { NetworkConditions } from './conditions.ts'
export { ManualClock } from './manual-clock.ts'
export { MemoryNetwork, type MemoryNetworkOptions } from './memory-network.ts'
export { seededRandom } from './seeded-random.ts'
export { settle } from './settle.ts'
