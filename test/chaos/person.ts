import { Child } from './child.ts'
import type { MemorySample } from './memory.ts'
import type { PersonNews, PersonOrders } from './person-process.ts'

/**
 * How somebody goes: says goodbye; is killed, and the system closes what it had
 * open; or just stops, as a machine without power does.
 */
export type Departure = 'leaves' | 'killed' | 'frozen'

/** How somebody was told a message. */
export interface Hearing {
  /** When, first, and whether as `message`. */
  at: number
  isLive: boolean
  /** How often: once, where all is well. */
  count: number
}

/** Where somebody comes from and whom it knows. */
export interface PersonOptions {
  /** The URLs of nodes. */
  nodes: string[]
  room: string
  namespace?: string | undefined
}

/** Somebody in a room, as seen from here. Times are milliseconds since the Unix epoch. */
export class Person {
  readonly #child: Child<PersonOrders, PersonNews>
  /** The network namespace it runs in. */
  readonly namespace: string | undefined
  #did = ''
  /** When it was in the room and connected. */
  joinedAt = Number.POSITIVE_INFINITY
  /** When it went. */
  goneAt = Number.POSITIVE_INFINITY
  departure: Departure | undefined
  /** By text of a message. */
  readonly heard = new Map<string, Hearing>()
  /** By DID: since when it is listed, or is not any more. */
  readonly listed = new Map<string, { isHere: boolean; at: number }>()
  /** What its last `recovered` said. */
  isComplete: boolean | undefined
  /** What it told that must not happen. */
  readonly failures: string[] = []

  private constructor(namespace: string | undefined) {
    this.namespace = namespace
    this.#child = new Child('person-process.ts', { namespace, exposeGc: true })
    this.#child.onNews = (news) => this.#note(news)
  }

  /** Somebody new, who is in the room when this resolves. */
  static async join({ namespace, ...orders }: PersonOptions): Promise<Person> {
    const person = new Person(namespace)
    await person.#child.next('started')
    const joined = person.#child.next('joined')
    person.#child.tell({ kind: 'join', ...orders })
    person.#did = (await joined).did
    person.joinedAt = Date.now()
    return person
  }

  get did(): string {
    return this.#did
  }

  /** Whether it was in the room all the time between two moments. */
  wasThere(from: number, until: number): boolean {
    return this.joinedAt <= from && until <= this.goneAt
  }

  say(text: string): void {
    this.#child.tell({ kind: 'say', text })
  }

  /** It goes. Somebody frozen has to be ended later: {@link end}. */
  go(departure: Departure): void {
    this.goneAt = Date.now()
    this.departure = departure
    if (departure === 'leaves') this.#child.tell({ kind: 'leave' })
    else this.#child.stop(departure === 'killed' ? 'SIGKILL' : 'SIGSTOP')
  }

  /** What it has, in its order, and whom it lists. */
  async recall(limit: number): Promise<{ ids: string[]; online: string[] }> {
    const recalled = this.#child.next('recalled')
    this.#child.tell({ kind: 'recall', limit })
    return await recalled
  }

  async measure(): Promise<MemorySample> {
    const measured = this.#child.next('measured')
    this.#child.tell({ kind: 'measure' })
    return (await measured).sample
  }

  async end(): Promise<void> {
    this.#child.stop()
    await this.#child.ended()
  }

  #note(news: PersonNews): void {
    if (news.kind === 'heard') {
      const { text, at, isLive } = news
      const hearing = this.heard.get(text)
      if (hearing === undefined) this.heard.set(text, { at, isLive, count: 1 })
      else hearing.count += 1
    } else if (news.kind === 'user') this.listed.set(news.did, { isHere: news.isHere, at: news.at })
    else if (news.kind === 'recovered') this.isComplete = news.complete
    else if (news.kind === 'failed') this.failures.push(news.reason)
  }
}
