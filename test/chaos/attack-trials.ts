import { type AttackResult, runAttack } from './attack.ts'
import { defineTrial, unless } from './trial.ts'

/** The attacks, by the name of their command. */
export const ATTACK_TRIALS = {
  'attack-invalid': defineTrial({
    run: runAttack,
    long: {
      kind: 'invalid',
      honest: 20,
      attackers: 20,
      attacksPerSecond: 100,
      messagesPerSecond: 10,
      seconds: 60,
    },
    short: {
      kind: 'invalid',
      honest: 6,
      attackers: 6,
      attacksPerSecond: 100,
      messagesPerSecond: 6,
      seconds: 8,
    },
    failures: (result) => [
      ...unless(result.deliveredPercent >= 99.9, `${result.deliveredPercent} % came, of 99.9 %`),
      ...unless(result.duplicates === 0, `${result.duplicates} came twice`),
      ...unless(result.inMeshMsMax <= 3_000, `an attacker was in a mesh for ${result.inMeshMsMax} ms`),
      ...honestScores(result),
    ],
  }),
  'attack-sybils': defineTrial({
    run: runAttack,
    long: {
      kind: 'sybils',
      honest: 10,
      attackers: 40,
      attacksPerSecond: 100,
      messagesPerSecond: 10,
      seconds: 60,
    },
    short: {
      kind: 'sybils',
      honest: 4,
      attackers: 10,
      attacksPerSecond: 100,
      messagesPerSecond: 4,
      seconds: 8,
    },
    failures: (result) => [
      ...unless(result.deliveredPercent >= 99, `${result.deliveredPercent} % came, of 99 %`),
      ...unless(result.duplicates === 0, `${result.duplicates} came twice`),
      ...unless(result.memoryMb <= 100, `${result.memoryMb} MB more were needed`),
      ...honestScores(result),
    ],
  }),
}

function honestScores(result: AttackResult): string[] {
  return [
    ...unless(result.lives > 0 && result.attacks > 0, 'nobody attacked'),
    ...unless(result.lowestHonestScore >= 0, `an honest peer had the score ${result.lowestHonestScore}`),
    ...unless(result.lowestNodeScore >= 0, `the node had the score ${result.lowestNodeScore}`),
  ]
}
