/**
 * For the tests of dapps: rooms without a network, and time that is set by hand.
 *
 * @packageDocumentation
 */

export { ManualClock, settle } from './manual-clock.ts'
export { MemoryNetwork } from './memory-network.ts'
