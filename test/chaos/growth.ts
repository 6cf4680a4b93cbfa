import type { MemorySample } from './memory.ts'

/** How what a process uses changed while it was watched: the least of each cycle, and a line through them. */
export interface Growth {
  /** The memory in use but for compiled code, in MB, the least of each cycle. */
  usedMb: number[]
  usedMbMean: number
  /** By the method of least squares, in an hour. */
  usedKbPerHour: number
  /** … and its standard error: at times there is more on its way than at others. */
  usedKbPerHourError: number
  bufferKbPerHour: number
  codeKbPerHour: number
  resourcesMean: number
  resourcesPerHour: number
  descriptorsMean: number
  descriptorsPerHour: number
}

const KEYS = ['usedBytes', 'bufferBytes', 'codeBytes', 'resources', 'descriptors'] as const

/** Samples of one process, or means of several, and when each was taken. */
export class GrowthWatch {
  readonly #cycleMs: number
  readonly #began = Date.now()
  /** By cycle. */
  readonly #samples = new Map<number, { hours: number; sample: MemorySample }[]>()

  /**
   * @param cycleMs how often something happens that takes memory for a while, such as the circuits after a restart, which
   *   last for two minutes
   */
  constructor(cycleMs: number) {
    this.#cycleMs = cycleMs
  }

  /** Adds what was measured now: the mean of one or several processes. */
  add(samples: readonly MemorySample[]): void {
    const elapsedMs = Date.now() - this.#began
    const mean = (key: keyof MemorySample): number =>
      samples.reduce((sum, sample) => sum + sample[key], 0) / samples.length
    const sample = Object.fromEntries(KEYS.map((key) => [key, mean(key)])) as unknown as MemorySample
    const cycle = Math.floor(elapsedMs / this.#cycleMs)
    const others = this.#samples.get(cycle) ?? []
    others.push({ hours: elapsedMs / 3_600_000, sample })
    this.#samples.set(cycle, others)
  }

  get growth(): Growth {
    const [used, resources, descriptors] = [
      this.#line('usedBytes'),
      this.#line('resources'),
      this.#line('descriptors'),
    ]
    return {
      usedMb: used.points.map(([, bytes]) => round(bytes / 1024 / 1024)),
      usedMbMean: round(used.mean / 1024 / 1024),
      usedKbPerHour: Math.round(used.slope / 1024),
      usedKbPerHourError: Math.round(used.error / 1024),
      bufferKbPerHour: Math.round(this.#line('bufferBytes').slope / 1024),
      codeKbPerHour: Math.round(this.#line('codeBytes').slope / 1024),
      resourcesMean: round(resources.mean),
      resourcesPerHour: round(resources.slope),
      descriptorsMean: round(descriptors.mean),
      descriptorsPerHour: round(descriptors.slope),
    }
  }

  /** The least of each cycle, but of those that were hardly looked at. */
  #least(key: keyof MemorySample): (readonly [hours: number, value: number])[] {
    const cycles = [...this.#samples.values()]
    const most = Math.max(...cycles.map(({ length }) => length))
    return cycles
      .filter(({ length }) => length >= most / 3)
      .map((samples) =>
        samples
          .map(({ hours, sample }) => [hours, sample[key]] as const)
          .reduce((least, point) => (point[1] < least[1] ? point : least)),
      )
  }

  #line(key: keyof MemorySample): {
    points: (readonly [number, number])[]
    mean: number
    slope: number
    error: number
  } {
    const points = this.#least(key)
    const meanOf = (index: 0 | 1): number =>
      points.reduce((sum, point) => sum + point[index], 0) / points.length
    const [hours, mean] = [meanOf(0), meanOf(1)]
    const above = points.reduce((sum, [x, y]) => sum + (x - hours) * (y - mean), 0)
    const below = points.reduce((sum, [x]) => sum + (x - hours) ** 2, 0)
    const slope = below === 0 ? 0 : above / below
    const rest = points.reduce((sum, [x, y]) => sum + (y - mean - slope * (x - hours)) ** 2, 0)
    const error = points.length > 2 && below > 0 ? Math.sqrt(rest / (points.length - 2) / below) : 0
    return { points, mean, slope, error }
  }
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
