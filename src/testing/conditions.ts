import type { Clock } from '../clock.ts'
import type { Random } from '../random.ts'

/** What a network in memory does to what it carries. */
export interface NetworkConditions {
  /**
   * How long a gossip message takes from one neighbour to the next, and a frame
   * of a stream to the other end: any whole number of milliseconds from … to, each
   * time another. Gossip messages overtake each other, frames of a stream do
   * not. Default `[0, 0]`: the next task.
   */
  latencyMs: readonly [min: number, max: number]
  /** The part of gossip messages that is lost between two neighbours, 0 to 1. Default 0. */
  loss: number
  /** The part of gossip messages that comes twice between two neighbours, 0 to 1. Default 0. */
  duplication: number
  /** The part of frames with which their stream breaks, 0 to 1. Default 0. */
  breakage: number
  /**
   * How long nobody notices that a connection is gone, after a crash or at a
   * partition. Until then what is sent over it is lost. Default `[0, 0]`: noticed at once.
   */
  noticeMs: readonly [min: number, max: number]
}

const CALM: NetworkConditions = {
  latencyMs: [0, 0],
  loss: 0,
  duplication: 0,
  breakage: 0,
  noticeMs: [0, 0],
}

/** The conditions that hold, and the dice that go with them. */
export class Weather {
  conditions: NetworkConditions
  readonly #clock: Clock
  readonly #random: Random

  constructor(options: { clock: Clock; random: Random; conditions: Partial<NetworkConditions> }) {
    this.#clock = options.clock
    this.#random = options.random
    this.conditions = { ...CALM, ...options.conditions }
  }

  get random(): Random {
    return this.#random
  }

  now(): number {
    return this.#clock.now()
  }

  /** Whether one of those it happens to at this rate is it. Nothing is drawn where it never does. */
  strikes(rate: number): boolean {
    return rate > 0 && this.#random.fraction() < rate
  }

  latencyMs(): number {
    return this.#within(this.conditions.latencyMs)
  }

  noticeMs(): number {
    return this.#within(this.conditions.noticeMs)
  }

  /** Does something after `ms` milliseconds, after 0 in a later task. */
  after(ms: number, task: () => void): void {
    if (ms > 0) this.#clock.after(ms, task)
    else queueMicrotask(task)
  }

  /** Does something after `ms` milliseconds, also 0, by the clock. Answers what cancels it. */
  timer(ms: number, task: () => void): () => void {
    return this.#clock.after(ms, task)
  }

  #within([min, max]: readonly [number, number]): number {
    return max > min ? min + Math.floor(this.#random.fraction() * (max - min + 1)) : min
  }
}
