import { setTimeout as sleep } from 'node:timers/promises'
import { type Account, account } from './account.ts'
import { Hub } from './hub.ts'
import { pass } from './pass.ts'
import { People } from './people.ts'
import type { Departure, Person } from './person.ts'
import { defineTrial, unless } from './trial.ts'

interface ChurnPlan {
  people: number
  messagesPerSecond: number
  /** How long somebody goes and somebody comes. */
  seconds: number
  /** How often. */
  pauseSeconds: number
  /** Somebody who was there so long before a message and so long after it has to be told at once. */
  marginSeconds: number
  /** In turn, how they go. */
  departures: Departure[]
}

interface ChurnResult extends ChurnPlan, Account {
  replaced: number
  /** How long somebody who was killed or frozen was still listed by somebody who was there, at most, in seconds. */
  crashedListedSecondsMax: number
  /** The same for those who said goodbye. */
  leftListedSecondsMax: number
  /** How many somebody still listed in the end who was gone. */
  ghosts: number
  /** Whether everybody listed exactly who was there in the end. */
  listsAgree: boolean
}

/** A lease, and five seconds to tell of its end. */
const NOTICED_MS = 95_000
/** Somebody frozen is ended when everybody has noticed. */
const FROZEN_MS = 120_000
const LISTED_MS = 60_000

/** People come and go all the time: some say goodbye, some are killed, some freeze. */
export const churnTrial = defineTrial<ChurnPlan, ChurnResult>({
  long: {
    people: 50,
    messagesPerSecond: 5,
    seconds: 1_200,
    pauseSeconds: 6,
    marginSeconds: 5,
    departures: ['leaves', 'killed', 'frozen'],
  },
  short: {
    people: 6,
    messagesPerSecond: 10,
    seconds: 12,
    pauseSeconds: 2,
    marginSeconds: 1,
    departures: ['leaves', 'killed'],
  },
  run: async (plan, progress) => {
    const hub = await Hub.start()
    const people = new People()
    const joins = { nodes: [hub.url], room: 'hall' }
    try {
      await people.come(plan.people, joins)
      if (!(await people.until(() => people.listsAgree(), LISTED_MS))) throw new Error('they do not meet')
      const passing = pass(plan.seconds, people, progress)
      const changing = replace(people, plan, () => people.come(1, joins))
      await people.talk(plan.messagesPerSecond, Promise.all([passing, changing]))
      const isWell = (): boolean =>
        people.listsAgree() && account(people, plan.marginSeconds * 1_000).deliveredPercent === 100
      await people.until(isWell, NOTICED_MS)
      const gone = people.all.filter(({ departure }) => departure !== undefined)
      const crashed = gone.filter(({ departure }) => departure !== 'leaves')
      return {
        ...plan,
        ...account(people, plan.marginSeconds * 1_000),
        replaced: gone.length,
        crashedListedSecondsMax: longestListed(people, crashed),
        leftListedSecondsMax: longestListed(
          people,
          gone.filter(({ departure }) => departure === 'leaves'),
        ),
        ghosts: gone.filter((one) => people.present.some(({ listed }) => listed.get(one.did)?.isHere)).length,
        listsAgree: people.listsAgree(),
      }
    } finally {
      await people.close()
      await hub.close()
    }
  },
  failures: (result) => [
    ...unless(result.livePercent >= 99.9, `${result.livePercent} % came at once, of 99.9 %`),
    ...unless(result.deliveredPercent === 100, `${result.deliveredPercent} % came, of 100 %`),
    ...unless(result.duplicates === 0, `${result.duplicates} came twice`),
    ...unless(
      result.crashedListedSecondsMax * 1_000 <= NOTICED_MS,
      `somebody was listed ${result.crashedListedSecondsMax} s after a crash`,
    ),
    ...unless(result.ghosts === 0, `${result.ghosts} were listed who were gone`),
    ...unless(result.listsAgree, 'somebody lists others than are there'),
    ...result.errors,
  ],
})

/** Every few seconds the one who is there longest goes, and somebody comes. */
async function replace(people: People, plan: ChurnPlan, come: () => Promise<void>): Promise<void> {
  const coming: Promise<void>[] = []
  const end = Date.now() + plan.seconds * 1_000
  for (let count = 0; Date.now() < end; count += 1) {
    const [oldest] = people.present
    const departure = plan.departures[count % plan.departures.length] ?? 'leaves'
    oldest?.go(departure)
    if (departure === 'frozen' && oldest !== undefined) setTimeout(() => void oldest.end(), FROZEN_MS).unref()
    coming.push(come())
    await sleep(plan.pauseSeconds * 1_000)
  }
  await Promise.all(coming)
}

/** How long some who are gone were listed, at most, in seconds. */
function longestListed(people: People, gone: readonly Person[]): number {
  const times = gone.flatMap((one) =>
    people.present.flatMap(({ listed }) => {
      const last = listed.get(one.did)
      return last === undefined ? [] : [(last.isHere ? Date.now() : last.at) - one.goneAt]
    }),
  )
  return Math.max(0, ...times) / 1_000
}
