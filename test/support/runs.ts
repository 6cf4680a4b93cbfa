/** What the long run sets (`npm run properties`): how many inputs each property is tried with at least … */
const LEAST = number('GHOSTCHAT_PROPERTY_RUNS')
/** … and where chance begins. A failure tells seed and path; with both, that input alone is tried again. */
const SEED = number('GHOSTCHAT_PROPERTY_SEED')
const PATH = process.env['GHOSTCHAT_PROPERTY_PATH']

/** With how many inputs a property is tried. */
export interface Runs {
  numRuns: number
  seed?: number
  path?: string
}

/**
 * @param count how many inputs in `npm test`; default 100. The long run tries 100,000 at least
 * @param most how many in the long run, for what is neither codec nor state machine and takes long: milliseconds each
 */
export function runs(count = 100, most = Number.POSITIVE_INFINITY): Runs {
  return {
    numRuns: Math.max(count, Math.min(LEAST ?? 0, most)),
    ...(SEED !== undefined && { seed: SEED }),
    ...(PATH !== undefined && { path: PATH }),
  }
}

function number(name: string): number | undefined {
  const text = process.env[name]
  return text === undefined || text === '' ? undefined : Number(text)
}
