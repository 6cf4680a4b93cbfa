import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { AgentMethods, Answer, Engine, FromAgent, Request } from '../agent/protocol.ts'
import type { Namespace } from './namespace.ts'
import { Tab } from './tab.ts'

const AGENT = fileURLToPath(new URL('../agent/agent.ts', import.meta.url))
/** Closing the browsers takes a second; one that hangs is killed with its namespace. */
const CLOSE_TIMEOUT_MS = 5_000

interface Waiter {
  resolve(result: unknown): void
  reject(error: Error): void
}

/** A machine with browsers. */
export class Host {
  readonly name: string
  readonly #machine: Namespace
  readonly #folders: { page: string; tmp: string }
  readonly #waiters = new Map<number, Waiter>()
  #agent: ChildProcess | undefined
  #lastId = 0
  #log: string[] = []

  constructor(name: string, machine: Namespace, folders: { page: string; tmp: string }) {
    this.name = name
    this.#machine = machine
    this.#folders = folders
  }

  /** Opens a page in a profile of its own: by default that of the laboratory, on this machine's localhost. */
  async open(engine: Engine, options: { url?: string } = {}): Promise<Tab> {
    const page = (await this.#ask('open', { engine, ...options })) as number
    return new Tab((method, args) => this.#ask('call', { page, method, args }))
  }

  /** Closes all pages. Answers what they wrote to their consoles. */
  async clear(): Promise<string[]> {
    if (this.#agent !== undefined) await this.#ask('clear', undefined)
    const log = this.#log
    this.#log = []
    return log
  }

  /** Ends the browsers. */
  async close(): Promise<void> {
    const agent = this.#agent
    if (agent === undefined || agent.exitCode !== null) return
    agent.stdin?.end()
    await once(agent, 'close', { signal: AbortSignal.timeout(CLOSE_TIMEOUT_MS) })
  }

  #ask<Method extends keyof AgentMethods>(
    method: Method,
    params: Parameters<AgentMethods[Method]>[0],
  ): Promise<unknown> {
    this.#agent ??= this.#start()
    this.#lastId += 1
    const id = this.#lastId
    const request = { id, method, params } as Request
    this.#agent.stdin?.write(`${JSON.stringify(request)}\n`)
    return new Promise((resolve, reject) => this.#waiters.set(id, { resolve, reject }))
  }

  #start(): ChildProcess {
    const { page, tmp } = this.#folders
    const agent = this.#machine.start(process.execPath, [AGENT, page], { env: { TMPDIR: tmp } })
    createInterface({ input: agent.stdout ?? process.stdin }).on('line', (line) => this.#hear(line))
    createInterface({ input: agent.stderr ?? process.stdin }).on('line', (line) => this.#note(line))
    agent.stdin?.on('error', () => {})
    agent.once('close', (code) => {
      this.#agent = undefined
      for (const { reject } of this.#waiters.values()) {
        reject(new Error(`the browsers of ${this.name} ended with ${code}:\n${this.#log.join('\n')}`))
      }
      this.#waiters.clear()
    })
    return agent
  }

  #hear(line: string): void {
    const message = JSON.parse(line) as FromAgent
    if ('log' in message) this.#note(message.log)
    else this.#settle(message)
  }

  #settle({ id, result, error }: Answer): void {
    const waiter = this.#waiters.get(id)
    this.#waiters.delete(id)
    if (error === undefined) waiter?.resolve(result)
    else waiter?.reject(new Error(`${this.name}: ${error}`))
  }

  #note(line: string): void {
    this.#log.push(`${this.name}: ${line}`)
  }
}
