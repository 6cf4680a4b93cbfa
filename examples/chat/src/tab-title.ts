/** The title of the browser's tab: the room, and how much was written since it was last looked at. */
export class TabTitle {
  readonly #room: string
  readonly #listening = new AbortController()
  #unseen = 0

  constructor(room: string) {
    this.#room = room
    document.addEventListener('visibilitychange', () => this.#seen(), { signal: this.#listening.signal })
    this.#show()
  }

  /** Notes that others wrote something. */
  arrived(count: number): void {
    if (!document.hidden || count === 0) return
    this.#unseen += count
    this.#show()
  }

  close(): void {
    this.#listening.abort()
  }

  #seen(): void {
    if (document.hidden) return
    this.#unseen = 0
    this.#show()
  }

  #show(): void {
    document.title = `${this.#unseen > 0 ? `(${this.#unseen}) ` : ''}#${this.#room} · GhostChat`
  }
}
