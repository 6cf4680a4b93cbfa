import type { Examiner } from './examiner.ts'

/** How many bytes of inputs are kept of a target: those of all together stay small in git. */
const KEPT_MAX_BYTES = 13_000
/** The longest input that is kept: what is large for the sake of being large, seeds are already. */
const INPUT_MAX_BYTES = 3_000
/** From so many times on that a branch is taken, it counts as something new. */
const LEVELS = [1, 2, 3, 4, 8, 16, 32, 128]

/** What an input reaches: branches, each with how often it was taken, roughly. */
type Features = Set<number>

interface Candidate {
  input: Uint8Array
  features: Features
}

/**
 * The inputs that reach most with few bytes. One after the other, the one that
 * adds most to what was chosen, until nothing is added or there is enough.
 *
 * @param counters how often each branch was taken; written by the instrumented code
 */
export async function fewest(
  inputs: readonly Uint8Array[],
  examiner: Examiner,
  counters: Uint8Array,
): Promise<Uint8Array[]> {
  let candidates: Candidate[] = []
  for (const input of inputs) {
    if (input.length > INPUT_MAX_BYTES) continue
    await examiner.examineAll([input], () => counters.fill(0))
    candidates.push({ input, features: featuresIn(counters) })
  }
  const chosen: Uint8Array[] = []
  let bytes = 0
  for (let best = bestOf(candidates); best !== undefined; best = bestOf(candidates)) {
    const { input, features } = best
    bytes += input.length
    if (bytes > KEPT_MAX_BYTES) break
    chosen.push(input)
    candidates = candidates
      .filter((other) => other !== best)
      .map((other) => ({ ...other, features: without(other.features, features) }))
  }
  return chosen
}

function bestOf(candidates: readonly Candidate[]): Candidate | undefined {
  let best: Candidate | undefined
  for (const candidate of candidates) {
    if (candidate.features.size > 0 && (best === undefined || worth(candidate) > worth(best)))
      best = candidate
  }
  return best
}

function worth({ input, features }: Candidate): number {
  return features.size / (input.length + LEVELS.length)
}

function without(features: Features, others: Features): Features {
  return new Set([...features].filter((feature) => !others.has(feature)))
}

function featuresIn(counters: Uint8Array): Features {
  const features: Features = new Set()
  for (const [branch, count] of counters.entries()) {
    if (count === 0) continue
    features.add(branch * LEVELS.length + LEVELS.findLastIndex((level) => count >= level))
  }
  return features
}
