import { Worker } from 'node:worker_threads'
import type { Finding } from './finding.ts'

/** An input that takes this long never ends. */
const ENDLESS_MS = 10_000

/** What the thread is told to do: all kept inputs of a target and so many new ones, or only these. */
export type Task = { name: string } & ({ runs: number; seed: number } | { inputs: Uint8Array[] })

/** What it answers. */
export interface Answer {
  inputs: number
  finding: Finding | undefined
}

/** At the beginning of the shared memory: the number of inputs so far, and the length of the present one, which follows. */
export const MEMORY = { inputs: 0, length: 1, headBytes: 8, bytes: 128 * 1024 } as const

/**
 * The short form, without Jazzer.js and without feedback. It runs in another
 * thread: what never ends can be ended there, and the input is known.
 */
export class PlainFuzzer {
  #worker: Worker | undefined
  #memory = new SharedArrayBuffer(MEMORY.bytes)

  /**
   * Puts the kept inputs of a target through it, and so many that are made of
   * them. The same seed tries the same inputs.
   */
  tryOut(name: string, runs: number, seed: number): Promise<Answer> {
    return this.#do({ name, runs, seed })
  }

  /** Puts these inputs through a target. Answers how the first one breaks a promise that does. */
  async replay(name: string, inputs: Uint8Array[]): Promise<Finding | undefined> {
    return (await this.#do({ name, inputs })).finding
  }

  async close(): Promise<void> {
    await this.#worker?.terminate()
    this.#worker = undefined
  }

  async #do(task: Task): Promise<Answer> {
    this.#worker ??= this.#start()
    const worker = this.#worker
    const head = new Int32Array(this.#memory, 0, 2)
    head[MEMORY.inputs] = 0
    worker.postMessage(task)
    let isEndless = false
    let before = 0
    const watch = setInterval(() => {
      const now = Atomics.load(head, MEMORY.inputs)
      isEndless = now > 0 && now === before
      before = now
      if (isEndless) void worker.terminate()
    }, ENDLESS_MS)
    const answer = await this.#answerOf(worker).finally(() => clearInterval(watch))
    if (answer !== undefined) return answer
    this.#worker = undefined
    const input = new Uint8Array(this.#memory, MEMORY.headBytes, head[MEMORY.length])
    const thrown = isEndless ? 'it never ends' : 'the thread ended'
    return { inputs: before, finding: { input: [...input], thrown } }
  }

  /** What the thread answers; nothing where it ends before. */
  #answerOf(worker: Worker): Promise<Answer | undefined> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        worker.off('message', onMessage).off('error', onError).off('exit', onExit)
        act()
      }
      const onMessage = (answer: Answer): void => settle(() => resolve(answer))
      const onError = (thrown: Error): void => settle(() => reject(thrown))
      const onExit = (): void => settle(() => resolve(undefined))
      worker.on('message', onMessage).on('error', onError).on('exit', onExit)
    })
  }

  #start(): Worker {
    this.#memory = new SharedArrayBuffer(MEMORY.bytes)
    return new Worker(new URL('./plain-worker.ts', import.meta.url), { workerData: this.#memory })
  }
}
