/** The browser engines the laboratory drives. */
export type Engine = 'chromium' | 'firefox' | 'webkit'

/** What the agent on a machine can be asked to do, with what it is told and what it answers. */
export interface AgentMethods {
  /** Opens a page in a browser profile of its own; answers its number. `url` is by default the page on this machine's own localhost. */
  open: (options: { engine: Engine; url?: string }) => Promise<number>
  /** Calls a method of `window.lab` in a page. */
  call: (options: { page: number; method: string; args: unknown[] }) => Promise<unknown>
  /** Closes all pages. */
  clear: () => Promise<void>
}

/** Lines of JSON: requests go to the agent's standard input, the rest comes from its standard output. */
export type Request = {
  [Method in keyof AgentMethods]: { id: number; method: Method; params: Parameters<AgentMethods[Method]>[0] }
}[keyof AgentMethods]
export type Answer = { id: number; result?: unknown; error?: string }
export type FromAgent = Answer | { log: string }
