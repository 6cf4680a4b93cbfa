import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Child } from './child.ts'
import type { MemorySample } from './memory.ts'
import type { NodeNews, NodeOrders } from './node-process.ts'

/** Where a node of a trial runs and whom it knows. */
export interface HubOptions {
  /** Default 127.0.0.1. */
  host?: string
  /** Default: a free one, which it keeps. */
  port?: number
  namespace?: string
  /** The URLs of other nodes. Default none. */
  peers?: string[]
}

/** A GhostNode that can be ended and started again: same key, same port. */
export class Hub {
  readonly #options: HubOptions
  readonly #dataDir: string
  #child: Child<NodeOrders, NodeNews> | undefined
  #url = ''
  /** What it told that must not happen. */
  readonly failures: string[] = []

  private constructor(options: HubOptions, dataDir: string) {
    this.#options = options
    this.#dataDir = dataDir
  }

  static async start(options: HubOptions = {}): Promise<Hub> {
    const hub = new Hub(options, await mkdtemp(join(tmpdir(), 'ghostchat-chaos-')))
    await hub.start()
    return hub
  }

  get url(): string {
    return this.#url
  }

  /** Starts it, anew where it ran before. */
  async start(): Promise<void> {
    const { host = '127.0.0.1', namespace, peers = [] } = this.#options
    const child = new Child<NodeOrders, NodeNews>('node-process.ts', { namespace, exposeGc: true })
    this.#child = child
    child.onNews = (news) => {
      if (news.kind === 'failed') this.failures.push(news.reason)
    }
    await child.next('ready')
    const port = this.#url === '' ? (this.#options.port ?? 0) : Number(new URL(this.#url).port)
    const listens = child.next('listens')
    child.tell({ kind: 'start', options: { host, port, peers, dataDir: this.#dataDir, stunPort: false } })
    this.#url = (await listens).url
  }

  /** Ends it: with a goodbye, or without. */
  async end(isKilled: boolean): Promise<void> {
    if (isKilled) this.#child?.stop()
    else this.#child?.tell({ kind: 'stop' })
    await this.#child?.ended()
  }

  async measure(): Promise<MemorySample> {
    if (this.#child === undefined) throw new Error('the node does not run')
    const measured = this.#child.next('measured')
    this.#child.tell({ kind: 'measure' })
    return (await measured).sample
  }

  /** Ends it for good. */
  async close(): Promise<void> {
    await this.end(true)
    await rm(this.#dataDir, { recursive: true })
  }
}
