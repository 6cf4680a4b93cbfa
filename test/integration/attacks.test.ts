import { expect, test } from 'vitest'
import { runAttack } from '../chaos/attack.ts'
import { ATTACKS } from '../chaos/attacks.ts'

test.each(Object.entries(ATTACKS))(
  '%s, in its short form: who is honest does not notice',
  async (_name, attack) => {
    const result = await runAttack(attack.short)
    expect({ failures: attack.failures(result), result }).toEqual({ failures: [], result })
  },
  60_000,
)
