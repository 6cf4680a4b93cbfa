import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

/** Everything that has to be answered. What is added here needs a row, and a test. */
const ATTACKS = [
  'alg none / ES256 / kid, jku, crit',
  'A JWT replayed from another room or type',
  'Replay inside the room',
  'An old `leave` replayed',
  'One JWT re-wrapped',
  'Message id from a claim',
  "Forgeries that drain a victim's bucket or jti cache",
  'Rate',
  'Verifiers that disagree',
  'base64url and JSON variants, duplicate or unknown keys',
  'Size bombs',
  'Subscription and control floods',
  'Presence flood, Sybils',
  '"This DID is at my peer"',
  'Forged, filtered or endless backlog',
  'Withheld messages, eclipse',
  'Wrong clocks',
  'DID documents that must be fetched',
  'Multiaddrs that point into a LAN',
  'Bidi, zero-width, look-alike names',
  'Script in a message',
  'Relay as an open proxy, reservation hogging',
  'Rendezvous flooding and poisoning',
  'Routing endpoint abuse',
  'Key theft from the page',
  'A listener, a filter, a peer that throws',
  'backlog forgery',
  'direct message leaking into the shared backlog',
  'replay',
  'cross-room replay',
  'no expiry',
  'presence spoofing by a replayed join',
  'remote unhandled rejection',
  'storing before verifying',
  'filter bypass through backlog',
  'unknown types delivered',
  'unstable order within a second',
  'one of two devices leaves and the user is gone',
  '`left` for somebody never announced',
  '`12D3…` peer ids listed as users',
  'unbounded backlog',
  'join storm',
  'leaving one room breaks the others',
  'rejoin returns a dead object',
  'a second listener silences the first',
]

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const rows = [
  ...readFileSync(here('README.md'), 'utf8').matchAll(
    /^\| (?<attack>.+) \| `(?<file>[^`]+\.ts)` (?<title>.+) \|$/gm,
  ),
].map(({ groups }) => ({
  attack: groups?.['attack']?.trim() ?? '',
  file: groups?.['file'] ?? '',
  title: groups?.['title']?.trim() ?? '',
}))

it('every attack has a row, and every row is an attack', () => {
  expect([...new Set(rows.map(({ attack }) => attack))].sort()).toEqual([...ATTACKS].sort())
})

it.each(rows)('$attack: $file has the test that is named', ({ file, title }) => {
  const path = here(`../${file}`)
  expect(existsSync(path)).toBe(true)
  const tests = readFileSync(path, 'utf8').replace(/\\'/g, "'")
  // Behind the quote that begins it, and so not in a comment.
  expect(['"', "'", '`'].some((quote) => tests.includes(`${quote}${title}`))).toBe(true)
})
