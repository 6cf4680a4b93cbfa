import { type Random, sample } from '../../src/random.ts'

/** Draws for scenarios. */
export class Dice {
  readonly random: Random

  constructor(random: Random) {
    this.random = random
  }

  /** A whole number from … to. */
  whole(min: number, max: number): number {
    return min + Math.floor(this.random.fraction() * (max - min + 1))
  }

  chance(rate: number): boolean {
    return this.random.fraction() < rate
  }

  pick<T>(items: readonly T[]): T | undefined {
    return sample(this.random, items, 1)[0]
  }

  /** One of several, by weight. */
  weighted<T extends string>(weights: Record<T, number>): T {
    const entries = Object.entries(weights) as [T, number][]
    let left = this.random.fraction() * entries.reduce((sum, [, weight]) => sum + weight, 0)
    for (const [name, weight] of entries) {
      left -= weight
      if (left < 0) return name
    }
    return (entries[0] as [T, number])[0]
  }
}
