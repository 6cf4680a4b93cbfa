/** A browser as the agent drives it. */
export interface AgentBrowser {
  /**
   * Opens a page in a profile of its own, and waits until it is loaded.
   *
   * @param log gets what the page writes to its console and what it throws
   */
  open(url: string, log: (line: string) => void): Promise<AgentPage>
  close(): Promise<void>
}

export interface AgentPage {
  /** Calls a method of `window.lab`. Rejects with what it throws. */
  call(method: string, args: unknown[]): Promise<unknown>
  close(): Promise<void>
}
