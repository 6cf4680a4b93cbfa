import { setTimeout as sleep } from 'node:timers/promises'
import type { GhostChat } from 'ghostchat'

const LOOK_MS = 100
const TURN_MS = 20

/** What the honest heard of each other. */
export interface CrowdReport {
  /** How many messages should have come, did come, and came twice. */
  expected: number
  delivered: number
  duplicates: number
  deliveredPercent: number
  /** The time from sending to hearing, in milliseconds. */
  latencyMsMedian: number
  latencyMsP99: number
}

/** People who talk to each other in a room, and note what they hear. */
export class Crowd {
  readonly #chats: readonly GhostChat[]
  /** By text: when it was sent, and how often each of them heard it. */
  readonly #sent = new Map<string, { at: number; heard: number[] }>()
  #latencies: number[] = []
  #number = 0

  constructor(chats: readonly GhostChat[]) {
    this.#chats = chats
    for (const [index, chat] of chats.entries()) {
      chat.on('message', (_did, { text }) => {
        const sent = this.#sent.get(text)
        if (sent === undefined) return
        sent.heard[index] = (sent.heard[index] ?? 0) + 1
        this.#latencies.push(Date.now() - sent.at)
      })
    }
  }

  /** Begins to count. */
  reset(): void {
    this.#sent.clear()
    this.#latencies = []
  }

  /** They talk in turn, so many messages a second all together. */
  async talk(perSecond: number, seconds: number): Promise<void> {
    const began = Date.now()
    for (let said = 0; said < perSecond * seconds; ) {
      const due = Math.min(perSecond * seconds, ((Date.now() - began) / 1_000) * perSecond)
      for (; said < due; said += 1) {
        this.#number += 1
        const text = `honest ${this.#number}`
        this.#sent.set(text, { at: Date.now(), heard: [] })
        this.#chats[this.#number % this.#chats.length]?.send(text).catch(() => {})
      }
      await sleep(TURN_MS)
    }
  }

  /** Until everybody has heard everything, or so long. */
  async settle(ms: number): Promise<void> {
    const end = Date.now() + ms
    while (Date.now() < end && this.#counts.delivered < this.#counts.expected) await sleep(LOOK_MS)
  }

  get report(): CrowdReport {
    const counts = this.#counts
    return {
      ...counts,
      deliveredPercent: Math.round((counts.delivered / counts.expected) * 100_000) / 1_000,
      latencyMsMedian: quantile(this.#latencies, 0.5),
      latencyMsP99: quantile(this.#latencies, 0.99),
    }
  }

  get #counts(): { expected: number; delivered: number; duplicates: number } {
    const heard = [...this.#sent.values()].flatMap((sent) => sent.heard.filter((count) => count > 0))
    return {
      expected: this.#sent.size * this.#chats.length,
      delivered: heard.length,
      duplicates: heard.reduce((sum, count) => sum + count - 1, 0),
    }
  }
}

function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0
}
