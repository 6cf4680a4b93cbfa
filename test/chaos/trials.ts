import { ATTACK_TRIALS } from './attack-trials.ts'
import { churnTrial } from './churn-trial.ts'
import { deliveryTrial } from './delivery-trial.ts'
import { partitionTrial } from './partition-trial.ts'
import { soakTrial } from './soak-trial.ts'
import type { Trial } from './trial.ts'

/** All trials, by the name of their command. */
export const TRIALS: Readonly<Record<string, Trial>> = {
  ...ATTACK_TRIALS,
  delivery: deliveryTrial,
  churn: churnTrial,
  partition: partitionTrial,
  soak: soakTrial,
}
