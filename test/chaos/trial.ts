/** Something that is done to a room on real libp2p, and what has to hold in it: in a long form, and in a short one for `npm test`. */
export interface Trial {
  /**
   * @param isShort the short form
   * @param progress gets a line now and then
   */
  run(isShort: boolean, progress: Progress): Promise<Outcome>
}

/** What came of a trial. */
interface Outcome {
  /** The figures, by their names. */
  result: object
  /** What does not hold, in words; none where all is well. */
  failures: string[]
}

export type Progress = (line: string) => void

/** Makes a trial of how it goes and how it is judged. */
export function defineTrial<Plan, Result extends object>(trial: {
  long: Plan
  short: Plan
  run(plan: Plan, progress: Progress): Promise<Result>
  failures(result: Result): string[]
}): Trial {
  return {
    run: async (isShort, progress) => {
      const result = await trial.run(isShort ? trial.short : trial.long, progress)
      return { result, failures: trial.failures(result) }
    },
  }
}

/** Nothing, or what does not hold. */
export function unless(holds: boolean, failure: string): string[] {
  return holds ? [] : [failure]
}
