import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** Where and how a process is started. */
export interface ChildOptions {
  /** The name of the network namespace it runs in. Default: that of this process. */
  namespace?: string | undefined
  /** It can collect its garbage when it is asked to. Default false. */
  exposeGc?: boolean
}

/** A process that is told things and tells things; a file of this folder. */
export class Child<Orders extends object, News extends { kind: string }> {
  readonly #process: ChildProcess
  /** By kind: who waits for news of it. */
  readonly #waiting = new Map<string, (news: News) => void>()
  /** News that nobody waits for. */
  onNews = (_news: News): void => {}
  /** It ended. */
  onEnd = (): void => {}

  constructor(file: string, { namespace, exposeGc = false }: ChildOptions = {}) {
    const flags = exposeGc ? ['--expose-gc'] : []
    const enter =
      namespace === undefined
        ? { execArgv: flags }
        : { execPath: 'ip', execArgv: ['netns', 'exec', namespace, process.execPath, ...flags] }
    // With none of the options of this process: those of a test runner mean nothing to it.
    this.#process = fork(fileURLToPath(new URL(file, import.meta.url)), [], enter)
    this.#process.on('message', (news: News) => {
      const waiting = this.#waiting.get(news.kind)
      this.#waiting.delete(news.kind)
      ;(waiting ?? this.onNews)(news)
    })
    this.#process.once('exit', () => this.onEnd())
  }

  /** The id of the process. */
  get pid(): number {
    return this.#process.pid ?? 0
  }

  tell(orders: Orders): void {
    // One that was ended meanwhile does not hear it.
    if (this.#process.connected) this.#process.send(orders, () => {})
  }

  /** The next news of a kind. Rejects when the process ends without. */
  next<K extends News['kind']>(kind: K): Promise<Extract<News, { kind: K }>> {
    return new Promise((resolve, reject) => {
      const onExit = (code: number | null): void =>
        reject(new Error(`${this.#process.spawnargs.at(-1)} ended: ${code}`))
      this.#process.once('exit', onExit)
      this.#waiting.set(kind, (news) => {
        this.#process.off('exit', onExit)
        resolve(news as Extract<News, { kind: K }>)
      })
    })
  }

  /** Sends it a signal: the default ends it without a word. */
  stop(signal: NodeJS.Signals = 'SIGKILL'): void {
    this.#process.kill(signal)
  }

  /** Resolves when it has ended. */
  async ended(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null)
      await once(this.#process, 'exit')
  }
}
