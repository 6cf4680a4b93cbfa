import { setTimeout as sleep } from 'node:timers/promises'
import { type Account, account, countOtherHistories, hasHeardAll } from './account.ts'
import { type Growth, GrowthWatch } from './growth.ts'
import { Hub } from './hub.ts'
import { pass } from './pass.ts'
import { People } from './people.ts'
import { defineTrial, type Progress, unless } from './trial.ts'

interface SoakPlan {
  people: number
  messagesPerSecond: number
  seconds: number
  /** How often one of the two nodes is restarted: in turn with a goodbye and without. */
  restartSeconds: number
  /** From when on memory must not grow: windows are full by then. */
  warmUpSeconds: number
  /** How often everybody is measured from then on. */
  measureSeconds: number
  /** How much the memory in use may grow in an hour, in KB. */
  growthKbPerHour: number
}

interface SoakResult extends SoakPlan, Account {
  restarts: number
  /** The mean of all people. */
  person: Growth
  /** The node that is not restarted. */
  node: Growth
  /** How many show another history in the end than the first one. */
  otherHistories: number
}

/** How long a node is away. */
const AWAY_MS = 3_000
const LISTED_MS = 60_000
const AFTER_MS = 60_000
/** How many more timers, sockets and files a process may have after an hour. Their number goes up and down. */
const HANDLES_PER_HOUR = 4

/** A long time, in which a node is restarted again and again. */
export const soakTrial = defineTrial<SoakPlan, SoakResult>({
  long: {
    people: 30,
    messagesPerSecond: 10,
    seconds: 3_600,
    restartSeconds: 300,
    // 17,000 messages: more than any table holds.
    warmUpSeconds: 1_700,
    measureSeconds: 30,
    growthKbPerHour: 512,
  },
  // In so short a time the compiler's memory grows, and not much can be said of ours.
  short: {
    people: 4,
    messagesPerSecond: 10,
    seconds: 24,
    restartSeconds: 8,
    warmUpSeconds: 4,
    measureSeconds: 4,
    growthKbPerHour: 4 * 1024 * 1024,
  },
  run: async (plan, progress) => {
    const steady = await Hub.start()
    const restarted = await Hub.start({ peers: [steady.url] })
    const people = new People()
    try {
      await people.come(plan.people, { nodes: [steady.url, restarted.url], room: 'hall' })
      if (!(await people.until(() => people.listsAgree(), LISTED_MS))) throw new Error('they do not meet')
      const cycleMs = plan.restartSeconds * 1_000
      const watches = { person: new GrowthWatch(cycleMs), node: new GrowthWatch(cycleMs) }
      const [, restarts] = await Promise.all([
        people.talk(plan.messagesPerSecond, pass(plan.seconds, people, progress)),
        restartAgainAndAgain(restarted, plan),
        watch(people, steady, plan, watches, progress),
      ])
      await people.until(
        () => people.listsAgree() && people.present.every((person) => hasHeardAll(person, people.said)),
        AFTER_MS,
      )
      return {
        ...plan,
        ...account(people, 0),
        restarts,
        person: watches.person.growth,
        node: watches.node.growth,
        otherHistories: await countOtherHistories(people, 500),
      }
    } finally {
      await people.close()
      await Promise.all([steady.close(), restarted.close()])
    }
  },
  failures: (result) => [
    ...unless(result.deliveredPercent === 100, `${result.deliveredPercent} % came, of 100 %`),
    ...unless(result.duplicates === 0, `${result.duplicates} came twice`),
    ...unless(result.otherHistories === 0, `${result.otherHistories} have another history`),
    ...unless(result.restarts > 0, 'no node was restarted'),
    ...(['person', 'node'] as const).flatMap((who) => growing(who, result[who], result)),
    ...result.errors,
  ],
})

/** Restarts a node until the time is over. Resolves with how often it did. */
async function restartAgainAndAgain(hub: Hub, { seconds, restartSeconds }: SoakPlan): Promise<number> {
  const end = Date.now() + seconds * 1_000
  let restarts = 0
  while (Date.now() + restartSeconds * 1_000 < end) {
    await sleep(restartSeconds * 1_000 - AWAY_MS)
    await hub.end(restarts % 2 === 1)
    await sleep(AWAY_MS)
    await hub.start()
    restarts += 1
  }
  return restarts
}

/** Measures everybody until the time is over. */
async function watch(
  people: People,
  hub: Hub,
  { seconds, warmUpSeconds, measureSeconds }: SoakPlan,
  watches: { person: GrowthWatch; node: GrowthWatch },
  progress: Progress,
): Promise<void> {
  const end = Date.now() + seconds * 1_000
  await sleep(warmUpSeconds * 1_000)
  while (Date.now() < end) {
    watches.person.add(await Promise.all(people.present.map((person) => person.measure())))
    watches.node.add([await hub.measure()])
    const { person, node } = { person: watches.person.growth, node: watches.node.growth }
    progress(`a person uses ${person.usedMb.at(-1)} MB, the node ${node.usedMb.at(-1)} MB`)
    await sleep(measureSeconds * 1_000)
  }
}

function growing(who: string, growth: Growth, { growthKbPerHour, seconds }: SoakPlan): string[] {
  // What is measured for seconds says nothing about hours.
  const handles = seconds >= 3_600 ? HANDLES_PER_HOUR : Number.POSITIVE_INFINITY
  return [
    ...unless(
      growth.usedKbPerHour <= growthKbPerHour,
      `the memory of a ${who} grows by ${growth.usedKbPerHour} ± ${growth.usedKbPerHourError} KB an hour`,
    ),
    ...unless(
      growth.resourcesPerHour <= handles,
      `a ${who} has ${growth.resourcesPerHour} more timers and sockets each hour`,
    ),
    ...unless(
      growth.descriptorsPerHour <= handles,
      `a ${who} has ${growth.descriptorsPerHour} more open files each hour`,
    ),
  ]
}
