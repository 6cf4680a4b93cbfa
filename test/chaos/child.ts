import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** A process that is told things and tells things; a file of this folder. */
export class Child<Orders extends object, News extends { kind: string }> {
  readonly #process: ChildProcess
  /** By kind: who waits for news of it. */
  readonly #waiting = new Map<string, (news: News) => void>()
  /** News that nobody waits for. */
  onNews = (_news: News): void => {}

  constructor(file: string) {
    // With none of the options of this process: those of a test runner mean nothing to it.
    this.#process = fork(fileURLToPath(new URL(file, import.meta.url)), [], { execArgv: [] })
    this.#process.on('message', (news: News) => {
      const waiting = this.#waiting.get(news.kind)
      this.#waiting.delete(news.kind)
      ;(waiting ?? this.onNews)(news)
    })
  }

  tell(orders: Orders): void {
    this.#process.send(orders)
  }

  /** The next news of a kind. Rejects when the process ends without. */
  next<K extends News['kind']>(kind: K): Promise<Extract<News, { kind: K }>> {
    return new Promise((resolve, reject) => {
      this.#process.once('exit', (code) =>
        reject(new Error(`${this.#process.spawnargs.at(-1)} ended: ${code}`)),
      )
      this.#waiting.set(kind, (news) => resolve(news as Extract<News, { kind: K }>))
    })
  }

  stop(): void {
    this.#process.kill('SIGKILL')
  }
}
