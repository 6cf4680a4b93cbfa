import { setTimeout as sleep } from 'node:timers/promises'
import { type Account, account, countOtherHistories, hasHeardAll } from './account.ts'
import { Halves } from './halves.ts'
import { Hub } from './hub.ts'
import { People } from './people.ts'
import { defineTrial, unless } from './trial.ts'

interface PartitionPlan {
  peoplePerHalf: number
  /** How many messages all of them together write, in both halves. */
  messagesPerSecond: number
  rounds: number
  cutSeconds: number
}

interface PartitionResult extends PartitionPlan, Account {
  /** From the heal until the first message came across, in seconds. */
  bridgedSecondsMax: number
  /** From the heal until everybody had been told all that was said while the bridge was cut, in seconds. */
  identicalSecondsMedian: number
  identicalSecondsMax: number
  /** From the heal until everybody listed everybody, in seconds. */
  listedSecondsMax: number
  /** How many, over all rounds, showed another history than the first one. */
  otherHistories: number
}

/** How long both are waited for after a heal, and what was measured. */
const GIVE_UP_MS = 60_000
const LISTED_MS = 60_000
/** The port of both nodes: each is alone in its network. */
const PORT = 8787

/**
 * Two halves of a room, each with a node of its own and clients that know only
 * that, are cut off from each other again and again.
 */
export const partitionTrial = defineTrial<PartitionPlan, PartitionResult>({
  long: {
    peoplePerHalf: 15,
    messagesPerSecond: 5,
    rounds: 20,
    cutSeconds: 60,
  },
  short: { peoplePerHalf: 2, messagesPerSecond: 10, rounds: 1, cutSeconds: 20 },
  run: async (plan, progress) => {
    const halves = await Halves.create()
    const people = new People()
    const hubs: Hub[] = []
    try {
      for (const { namespace, address } of halves.both) {
        const peers = halves.both
          .filter((half) => half.address !== address)
          .map((half) => urlAt(half.address))
        hubs.push(await Hub.start({ host: address, port: PORT, namespace, peers }))
      }
      for (const { namespace, address } of halves.both) {
        await people.come(plan.peoplePerHalf, { nodes: [urlAt(address)], room: 'hall', namespace })
      }
      if (!(await people.until(() => people.listsAgree(), LISTED_MS))) throw new Error('they do not meet')
      const times: Round[] = []
      for (let round = 0; round < plan.rounds; round += 1) {
        const time = await cutAndHeal(halves, people, plan)
        times.push(time)
        progress(describe(round, time))
      }
      const identical = times.map(({ identicalSeconds }) => identicalSeconds).sort((a, b) => a - b)
      return {
        ...plan,
        ...account(people, 0),
        bridgedSecondsMax: Math.max(...times.map(({ bridgedSeconds }) => bridgedSeconds)),
        identicalSecondsMedian: identical[Math.floor(identical.length / 2)] ?? 0,
        identicalSecondsMax: identical.at(-1) ?? 0,
        listedSecondsMax: Math.max(...times.map(({ listedSeconds }) => listedSeconds)),
        otherHistories: times.reduce((sum, { otherHistories }) => sum + otherHistories, 0),
      }
    } finally {
      await people.close()
      await Promise.all(hubs.map((hub) => hub.close()))
      await halves.close()
    }
  },
  failures: (result) => [
    ...unless(result.identicalSecondsMax <= 10, `histories differed for ${result.identicalSecondsMax} s`),
    ...unless(result.deliveredPercent === 100, `${result.deliveredPercent} % came, of 100 %`),
    ...unless(result.duplicates === 0, `${result.duplicates} came twice`),
    ...unless(result.otherHistories === 0, `${result.otherHistories} have another history`),
    ...result.errors,
  ],
})

interface Round {
  bridgedSeconds: number
  identicalSeconds: number
  listedSeconds: number
  otherHistories: number
}

async function cutAndHeal(halves: Halves, people: People, plan: PartitionPlan): Promise<Round> {
  const before = people.said.length
  await halves.cut()
  await people.talk(plan.messagesPerSecond, sleep(plan.cutSeconds * 1_000))
  await halves.heal()
  const healedAt = Date.now()
  const since = (): number => (Date.now() - healedAt) / 1_000
  const said = people.said.slice(before)
  // They go on talking: nobody waits for a network to heal.
  const measured = Promise.all([
    people.until(() => people.present.every((person) => hasHeardAll(person, said)), GIVE_UP_MS).then(since),
    people.until(() => people.listsAgree(), GIVE_UP_MS).then(since),
  ])
  await people.talk(plan.messagesPerSecond, measured)
  const [identicalSeconds, listedSeconds] = await measured
  await people.until(() => people.present.every((person) => hasHeardAll(person, people.said)), GIVE_UP_MS)
  return {
    bridgedSeconds: (firstAcross(people, healedAt) - healedAt) / 1_000,
    identicalSeconds,
    listedSeconds,
    otherHistories: await countOtherHistories(people, 500),
  }
}

/** When somebody was told something first that was said in the other half after a moment. */
function firstAcross(people: People, since: number): number {
  const times = people.said
    .filter(({ at }) => at >= since)
    .flatMap(({ text, author }) =>
      people.present
        .filter(({ namespace }) => namespace !== author.namespace)
        .map(({ heard }) => heard.get(text)?.at ?? Number.POSITIVE_INFINITY),
    )
  return Math.min(...times)
}

function urlAt(address: string): string {
  return `http://${address}:${PORT}`
}

function describe(round: number, times: Round): string {
  const { bridgedSeconds, identicalSeconds, listedSeconds } = times
  return `round ${round + 1}: bridged after ${bridgedSeconds} s, identical after ${identicalSeconds} s, listed after ${listedSeconds} s`
}
