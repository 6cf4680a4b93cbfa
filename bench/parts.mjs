/**
 * What is measured, in the order of the report.
 *
 * @typedef {object} Part
 * @property {string} name names it on the command line, and its results
 * @property {string} question what it answers; the heading in the report
 * @property {string} method how, in a paragraph or two of Markdown
 * @property {(options: { isQuick: boolean, only?: string[], progress: (text: string) => void }) => Promise<any>} measure
 * @property {(results: any) => { caption?: string, rows: Record<string, string | number>[] }[]} tables
 * @property {(results: any) => import('./support/plot.mjs').Plot[]} [plots]
 */
import { browser } from './browser/browser.mjs'
import { authors, growth, saturated, steady } from './delivery/parts.mjs'
import { bundleSize } from './discovery/bundle-size.mjs'
import { dht } from './discovery/dht.mjs'
import { listing } from './discovery/listing.mjs'
import { roundTrips } from './discovery/round-trips.mjs'
import { gate } from './gate/gate.mjs'
import { idle } from './idle/idle.mjs'
import { memory } from './memory/memory.mjs'
import { fanout } from './node/fanout.mjs'
import { rooms } from './node/rooms.mjs'
import { sync } from './sync/sync.mjs'

/** @type {Part[]} */
export const PARTS = [
  saturated,
  authors,
  steady,
  growth,
  browser,
  rooms,
  fanout,
  idle,
  memory,
  gate,
  roundTrips,
  listing,
  sync,
  bundleSize,
  dht,
]
