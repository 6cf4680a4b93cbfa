import { GhostChatError, openSpace, type Space } from 'ghostchat'
import { element } from './element.ts'
import { openNameDialog } from './name-dialog.ts'
import { NameMemory } from './name-memory.ts'
import { People } from './people.ts'
import { hashOfRoom, roomOfHash } from './room-name.ts'
import { RoomPage } from './room-page.ts'
import { readSettings, type Settings } from './settings.ts'
import { createWelcome } from './welcome.ts'

const SPACE = 'ghostchat-page'

/** The whole page: who the visitor is, and the room they are in. */
export class App {
  readonly #root: HTMLElement
  readonly #people = new People()
  #page: RoomPage | undefined
  /** Ends when the room asked for last is open. */
  #entering: Promise<void> = Promise.resolve()

  constructor(root: HTMLElement) {
    this.#root = root
  }

  /** Opens the space, asks for a name where none is known, and enters the room of the URL. */
  async start(): Promise<void> {
    try {
      const settings = await readSettings(location.search)
      if (settings.nodes.length === 0)
        throw new Error('the page knows no GhostNode; name one with ?node=https://…')
      const space = await open(settings)
      const memory = new NameMemory(() => (settings.identity === 'ephemeral' ? sessionStorage : localStorage))
      if (memory.name === '') memory.name = await this.#askName(space, settings.identity === 'stored')
      memory.onChange((name) => void this.#page?.rename(name))
      addEventListener('hashchange', () => this.#enter(space, memory))
      this.#enter(space, memory)
    } catch (error) {
      this.#showFailure(error instanceof Error ? error.message : String(error))
    }
  }

  #askName(space: Space, kept: boolean): Promise<string> {
    return new Promise((resolve) => {
      const show = (): void => {
        const room = roomOfHash(location.hash)
        this.#root.replaceChildren(createWelcome({ did: space.did, kept, room, onName }))
        // A phone would cover half of the page with its keyboard.
        if (!matchMedia('(pointer: coarse)').matches) this.#root.querySelector('input')?.focus()
      }
      const onName = (name: string): void => {
        removeEventListener('hashchange', show)
        resolve(name)
      }
      addEventListener('hashchange', show)
      show()
    })
  }

  /** Goes to the room of the URL. One after the other, however fast the URL changes. */
  #enter(space: Space, memory: NameMemory): void {
    this.#entering = this.#entering.then(async () => {
      const room = roomOfHash(location.hash)
      history.replaceState(null, '', hashOfRoom(room))
      await this.#page?.close()
      const onRename = (): void =>
        openNameDialog({
          did: space.did,
          name: memory.name,
          onName: (name) => {
            memory.name = name
            void this.#page?.rename(name)
          },
        })
      this.#page = new RoomPage({ space, room, name: memory.name, people: this.#people, onRename })
      this.#root.replaceChildren(this.#page.element)
      await this.#page.open()
    })
  }

  #showFailure(words: string): void {
    const retry = element('button', { class: 'primary', type: 'button' }, 'Try again')
    retry.addEventListener('click', () => location.reload())
    this.#root.replaceChildren(
      element(
        'main',
        { class: 'splash', role: 'alert' },
        element('img', { class: 'splash-ghost', src: './ghost.svg', alt: '', width: 72, height: 72 }),
        element('h1', {}, 'The ghost got stuck'),
        element('p', {}, words),
        retry,
      ),
    )
  }
}

/** Private windows keep no keys: the visitor is somebody for this visit only then. */
async function open({ nodes, identity }: Settings): Promise<Space> {
  try {
    return await openSpace(SPACE, { nodes, identity })
  } catch (error) {
    if (!(error instanceof GhostChatError) || error.code !== 'key-store-failed') throw error
    return openSpace(SPACE, { nodes, identity: 'ephemeral' })
  }
}
