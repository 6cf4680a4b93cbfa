/** The thread of `plain.ts`. */
import { parentPort, workerData } from 'node:worker_threads'
import { seededRandom } from '../../src/testing/seeded-random.ts'
import { keptInputs } from './corpus.ts'
import { Examiner } from './examiner.ts'
import { Mutator } from './mutator.ts'
import { type Answer, MEMORY, type Task } from './plain.ts'
import type { Target } from './target.ts'
import { targetOf } from './targets/index.ts'

const memory = workerData as SharedArrayBuffer
const head = new Int32Array(memory, 0, 2)
const body = new Uint8Array(memory, MEMORY.headBytes)

parentPort?.on('message', (task: Task) => {
  void carryOut(task).then((answer) => parentPort?.postMessage(answer))
})

async function carryOut(task: Task): Promise<Answer> {
  const target = targetOf(task.name)
  if (target === undefined) throw new Error(`there is no target ${task.name}`)
  let input: Uint8Array = new Uint8Array()
  const note = (next: Uint8Array): void => {
    input = next.subarray(0, body.length)
    body.set(input)
    head[MEMORY.length] = input.length
    Atomics.add(head, MEMORY.inputs, 1)
  }
  const examiner = new Examiner(target)
  let finding: Answer['finding']
  try {
    if ('inputs' in task) await examiner.examineAll(task.inputs, note)
    else {
      const known = [...(await target.seeds()), ...keptInputs(target.name)]
      await examiner.examineAll(known, note)
      examiner.weigh()
      await examiner.examineAll(mutants(target, known, task), note)
      examiner.weigh()
    }
  } catch (thrown) {
    const text = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)
    finding = { input: [...input], thrown: text }
  }
  examiner.end()
  return { inputs: head[MEMORY.inputs] ?? 0, finding }
}

function* mutants(
  { words = [], maxBytes, name }: Target,
  inputs: readonly Uint8Array[],
  { runs, seed }: { runs: number; seed: number },
): Generator<Uint8Array> {
  const mutator = new Mutator({ random: seededRandom(`${name} ${seed}`), inputs, words, maxBytes })
  for (let count = 0; count < runs; count += 1) yield mutator.next()
}
