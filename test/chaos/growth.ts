import type { MemorySample } from './memory.ts'

/** How what a process uses changed while it was watched. */
export interface Growth {
  samples: number
  usedMbMean: number
  /** By the method of least squares, in an hour. */
  usedKbPerHour: number
  resourcesMean: number
  resourcesPerHour: number
  descriptorsMean: number
  descriptorsPerHour: number
}

/** Samples of one process, or means of several, and when each was taken. */
export class GrowthWatch {
  readonly #samples: { hours: number; sample: MemorySample }[] = []
  readonly #began = Date.now()

  /** Adds what was measured now: the mean of one or several processes. */
  add(samples: readonly MemorySample[]): void {
    const mean = (key: keyof MemorySample): number =>
      samples.reduce((sum, sample) => sum + sample[key], 0) / samples.length
    this.#samples.push({
      hours: (Date.now() - this.#began) / 3_600_000,
      sample: {
        usedBytes: mean('usedBytes'),
        resources: mean('resources'),
        descriptors: mean('descriptors'),
      },
    })
  }

  get growth(): Growth {
    const used = this.#line('usedBytes')
    const resources = this.#line('resources')
    const descriptors = this.#line('descriptors')
    return {
      samples: this.#samples.length,
      usedMbMean: round(used.mean / 1024 / 1024),
      usedKbPerHour: Math.round(used.slope / 1024),
      resourcesMean: round(resources.mean),
      resourcesPerHour: round(resources.slope),
      descriptorsMean: round(descriptors.mean),
      descriptorsPerHour: round(descriptors.slope),
    }
  }

  #line(key: keyof MemorySample): { mean: number; slope: number } {
    const points = this.#samples.map(({ hours, sample }) => [hours, sample[key]] as const)
    const meanOf = (index: 0 | 1): number =>
      points.reduce((sum, point) => sum + point[index], 0) / points.length
    const [hours, mean] = [meanOf(0), meanOf(1)]
    const above = points.reduce((sum, [x, y]) => sum + (x - hours) * (y - mean), 0)
    const below = points.reduce((sum, [x]) => sum + (x - hours) ** 2, 0)
    return { mean, slope: below === 0 ? 0 : above / below }
  }
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
