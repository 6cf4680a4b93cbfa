import { createHash } from 'node:crypto'
import type { People, Said } from './people.ts'
import type { Person } from './person.ts'

/** What was said, and what of it came. */
export interface Account {
  said: number
  /** Of those who were there from before until after it was said: how many should have been told, and how many were at once, by `message`. */
  expectedLive: number
  live: number
  livePercent: number
  /** Of those who are still there in the end: how many should have been told, and how many were, by `message` or `backlog`. */
  expected: number
  delivered: number
  deliveredPercent: number
  /** How often somebody was told a message again. */
  duplicates: number
  /** From saying to hearing, in milliseconds, of what was heard live. */
  latencyMsMedian: number
  latencyMsP99: number
  latencyMsMax: number
  /** What must not happen: errors, unhandled rejections. */
  errors: string[]
}

/** What comes as `message` later than this is not counted as live. */
const LIVE_MS = 5_000

/**
 * Counts what came. Somebody counts for a message who was in the room `marginMs`
 * before it was said and `marginMs` after; a message counts whose author was.
 */
export function account(people: People, marginMs: number): Account {
  const counts = { expectedLive: 0, live: 0, expected: 0, delivered: 0 }
  const latencies: number[] = []
  for (const said of people.said) {
    if (!isWitness(said.author, said, marginMs)) continue
    for (const person of people.all.filter((one) => isWitness(one, said, marginMs))) {
      const hearing = person.heard.get(said.text)
      const isLive = hearing?.isLive === true && hearing.at - said.at <= LIVE_MS
      counts.expectedLive += 1
      if (isLive) counts.live += 1
      if (hearing?.isLive === true) latencies.push(hearing.at - said.at)
      if (person.departure !== undefined) continue
      counts.expected += 1
      if (hearing !== undefined) counts.delivered += 1
    }
  }
  latencies.sort((a, b) => a - b)
  const quantile = (part: number): number => latencies[Math.floor((latencies.length - 1) * part)] ?? 0
  return {
    said: people.said.length,
    ...counts,
    livePercent: percent(counts.live, counts.expectedLive),
    deliveredPercent: percent(counts.delivered, counts.expected),
    duplicates: people.all.reduce((sum, { heard }) => sum + countAgain(heard.values()), 0),
    latencyMsMedian: quantile(0.5),
    latencyMsP99: quantile(0.99),
    latencyMsMax: quantile(1),
    errors: people.failures,
  }
}

function isWitness(person: Person, { at }: Said, marginMs: number): boolean {
  return person.wasThere(at - marginMs, at + marginMs)
}

function countAgain(hearings: Iterable<{ count: number }>): number {
  let again = 0
  for (const { count } of hearings) again += count - 1
  return again
}

/** Rounded down to a thousandth: 100 is all of it. */
function percent(part: number, whole: number): number {
  return Math.floor((part / whole) * 100_000) / 1_000
}

/** Whether somebody has been told all of these. */
export function hasHeardAll(person: Person, said: readonly Said[]): boolean {
  return said.every(({ text }) => person.heard.has(text))
}

/** How many of those who are there show other messages, or in another order, than the first one: among the newest so many. */
export async function countOtherHistories(people: People, limit: number): Promise<number> {
  const recalled = await Promise.all(people.present.map((person) => person.recall(limit)))
  const histories = recalled.map(({ ids }) => createHash('sha256').update(ids.join()).digest('hex'))
  return histories.filter((history) => history !== histories[0]).length
}
