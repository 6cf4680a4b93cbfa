import { WINDOW_MAX_EVENTS } from '../../src/limits.ts'
import { type Account, account, countOtherHistories, hasHeardAll } from './account.ts'
import { Hub } from './hub.ts'
import { pass } from './pass.ts'
import { People } from './people.ts'
import { defineTrial, unless } from './trial.ts'

interface DeliveryPlan {
  people: number
  /** How many messages all of them together write. */
  messagesPerSecond: number
  seconds: number
}

interface DeliveryResult extends DeliveryPlan, Account {
  /** How many show another history in the end than the first one. */
  otherHistories: number
}

/** What is late is not lost. */
const AFTER_MS = 30_000
const LISTED_MS = 60_000

/** Nothing goes wrong, and a lot is said. */
export const deliveryTrial = defineTrial<DeliveryPlan, DeliveryResult>({
  long: { people: 50, messagesPerSecond: 5, seconds: 600 },
  short: { people: 6, messagesPerSecond: 20, seconds: 8 },
  run: async (plan, progress) => {
    const hub = await Hub.start()
    const people = new People()
    try {
      await people.come(plan.people, { nodes: [hub.url], room: 'hall' })
      if (!(await people.until(() => people.listsAgree(), LISTED_MS))) throw new Error('they do not meet')
      await people.talk(plan.messagesPerSecond, pass(plan.seconds, people, progress))
      await people.until(() => people.present.every((one) => hasHeardAll(one, people.said)), AFTER_MS)
      const otherHistories = await countOtherHistories(people, WINDOW_MAX_EVENTS / 2)
      return { ...plan, ...account(people, 0), otherHistories }
    } finally {
      await people.close()
      await hub.close()
    }
  },
  failures: (result) => [
    ...unless(result.deliveredPercent === 100, `${result.deliveredPercent} % came, of 100 %`),
    ...unless(result.duplicates === 0, `${result.duplicates} came twice`),
    ...unless(result.otherHistories === 0, `${result.otherHistories} have another history`),
    ...result.errors,
  ],
})
