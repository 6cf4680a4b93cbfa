import type { Clock } from '../../src/clock.ts'
import type { Verifier } from '../../src/identity/verifier.ts'
import type { Random } from '../../src/random.ts'

/** A verifier that takes up to `maxMs` for each answer, each time another time; with 0 as it is. */
export function slowVerifier(
  verifier: Verifier,
  { clock, random, maxMs }: { clock: Clock; random: Random; maxMs: number },
): Verifier {
  if (maxMs === 0) return verifier
  return {
    async verify(did, data, signature) {
      const ms = Math.floor(random.fraction() * (maxMs + 1))
      await new Promise<void>((resolve) => {
        clock.after(ms, resolve)
      })
      return verifier.verify(did, data, signature)
    },
  }
}
