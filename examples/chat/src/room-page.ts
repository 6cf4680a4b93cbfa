import type { GhostChat, LeaveReason, Member, Message, Space } from 'ghostchat'
import { Composer } from './composer.ts'
import { cleanLine } from './display-name.ts'
import { element } from './element.ts'
import { createInviteButton } from './invite-button.ts'
import { Log } from './log.ts'
import { LogScroller } from './log-scroller.ts'
import type { People } from './people.ts'
import { PeoplePanel } from './people-panel.ts'
import { comparePlaces } from './place.ts'
import { Quiet } from './quiet.ts'
import { StatusLine } from './status-line.ts'
import { TabTitle } from './tab-title.ts'
import { TypingLine } from './typing-line.ts'

const DAY_MS = 24 * 60 * 60_000
const PRUNE_MS = 60_000
/** So many messages make one page of the backlog. */
const PAGE = 100

const departures: Record<LeaveReason, string> = {
  left: 'left',
  lost: 'lost the connection',
  timeout: 'faded away',
}

/** What a room's page needs. */
export interface RoomPageOptions {
  space: Space
  room: string
  name: string
  people: People
  /** The visitor wants another name. */
  onRename(): void
}

/** One room on the page: joins it, shows it, leaves it. */
export class RoomPage {
  readonly element: HTMLElement
  readonly #options: RoomPageOptions
  readonly #status = new StatusLine()
  readonly #typing: TypingLine
  readonly #panel: PeoplePanel
  readonly #log: Log
  readonly #quiet: Quiet
  readonly #scroller: LogScroller
  readonly #composer: Composer
  readonly #title: TabTitle
  readonly #earlier = element(
    'button',
    { class: 'earlier', type: 'button', hidden: true },
    'Show earlier messages',
  )
  readonly #pruning: ReturnType<typeof setInterval>
  #chat: GhostChat | undefined
  /** What was said before is here: from now on, who comes and goes is news. */
  #settled = false

  constructor(options: RoomPageOptions) {
    const { space, room, people, onRename } = options
    const { did } = space
    this.#options = options
    this.#title = new TabTitle(cleanLine(room))
    this.#typing = new TypingLine(people)
    this.#panel = new PeoplePanel({ did, people, invite: createInviteButton(room, 'plain'), onRename })
    this.#composer = new Composer(people, cleanLine(room), {
      send: (text, replyTo) => this.#send(text, replyTo),
      keystroke: () => this.#chat?.typing.keystroke(),
      cleared: () => this.#chat?.typing.stop(),
    })
    this.#log = new Log(did, { people, onReply: (message) => this.#composer.answer(message) })
    this.#quiet = new Quiet(did, cleanLine(room), people, createInviteButton(room, 'bold'))
    this.#scroller = new LogScroller(
      this.#log.element,
      element('div', { class: 'log-content' }, this.#earlier, this.#quiet.element, this.#log.element),
    )
    this.#earlier.addEventListener('click', () => void this.#showEarlier())
    this.#pruning = setInterval(() => this.#prune(), PRUNE_MS)
    this.element = this.#layOut()
  }

  /** Joins the room. */
  async open(): Promise<void> {
    const { space, room, name, people } = this.#options
    people.learn({ did: space.did, presence: { name }, devices: [] })
    try {
      const chat = await space.joinChat(room, { presence: { name } })
      this.#chat = chat
      this.#listen(chat)
      this.#status.show(chat.status)
      this.#showMembers()
      if (!matchMedia('(pointer: coarse)').matches) this.#composer.focus()
    } catch (error) {
      this.#status.show({ current: 'closed', previous: 'connecting' })
      this.#composer.element.hidden = true
      this.#quiet.showFailure(error instanceof Error ? error.message : String(error))
    }
  }

  /** Leaves the room. */
  async close(): Promise<void> {
    clearInterval(this.#pruning)
    this.#scroller.close()
    this.#status.close()
    this.#panel.close()
    this.#title.close()
    this.#chat?.removeAllListeners()
    await this.#chat?.leaveChat()
  }

  /** Shows the visitor's new name, here and to the others. */
  async rename(name: string): Promise<void> {
    const { space, people } = this.#options
    if (people.learn({ did: space.did, presence: { name }, devices: [] })) this.#onRenamed(space.did)
    await this.#chat?.presence.update({ name })
  }

  #layOut(): HTMLElement {
    const { room } = this.#options
    return element(
      'div',
      { class: 'room' },
      this.#skipButton(),
      element(
        'header',
        { class: 'room-header' },
        element('img', { class: 'logo', src: './ghost.svg', alt: 'GhostChat', width: 36, height: 36 }),
        element(
          'div',
          { class: 'room-title' },
          element('h1', {}, element('bdi', { 'data-testid': 'room-name' }, cleanLine(room))),
          this.#status.element,
        ),
        createInviteButton(room, 'plain'),
        this.#panel.toggle,
      ),
      element(
        'main',
        { class: 'room-main' },
        this.#status.detail,
        this.#scroller.viewport,
        element(
          'div',
          { class: 'room-foot' },
          this.#scroller.button,
          this.#typing.element,
          this.#composer.element,
        ),
      ),
      this.#panel.shade,
      this.#panel.element,
    )
  }

  /** A button and no link: the URL's hash is the room. */
  #skipButton(): HTMLElement {
    const button = element('button', { class: 'skip', type: 'button' }, 'Skip to the message field')
    button.addEventListener('click', () => this.#composer.focus())
    return button
  }

  #listen(chat: GhostChat): void {
    chat.on('message', (_did, message) => {
      this.#settle()
      this.#take([message], { live: true })
    })
    chat.on('message-updated', (_did, message) => this.#scroller.keep(() => this.#log.update(message)))
    chat.on('message-deleted', (_did, message) => {
      this.#scroller.keep(() => this.#log.remove(message))
      this.#composer.forget(message)
      this.#showQuiet()
    })
    chat.on('backlog', (messages) => {
      const first = !this.#settled
      this.#take(messages, { live: false })
      this.#earlier.hidden = first ? messages.length < PAGE : this.#earlier.hidden
      this.#settle()
    })
    chat.on('error', ({ message }) => this.#composer.warn(message))
    chat.on('typing', (dids) => this.#typing.show(dids))
    chat.on('status', (status) => this.#status.show(status))
    chat.on('user-joined', (did) => {
      this.#showMembers()
      if (this.#settled) this.#log.note(did, 'joined')
    })
    chat.on('user-left', (did, { reason }) => {
      this.#showMembers()
      if (this.#settled) this.#log.note(did, departures[reason])
    })
    chat.on('user-updated', (_did, member) => {
      if (this.#options.people.learn(member)) this.#onRenamed(member.did)
    })
  }

  #take(messages: readonly Message[], how: { live: boolean }): void {
    const { newest } = this.#log
    let news = 0
    this.#scroller.keep(() => {
      for (const message of messages) {
        const isNews = newest === undefined || comparePlaces(message, newest) > 0
        if (this.#log.add(message, how) && isNews && message.author !== this.#options.space.did) news += 1
      }
    })
    if (this.#settled) {
      this.#scroller.arrived(news)
      this.#title.arrived(news)
    }
    this.#showQuiet()
  }

  #prune(): void {
    this.#scroller.keep(() => this.#log.prune(Date.now() - DAY_MS))
    this.#showQuiet()
  }

  async #send(text: string, replyTo: Message | undefined): Promise<void> {
    const chat = this.#chat
    if (chat === undefined) throw new Error('the room is not open yet')
    this.#scroller.toEnd()
    await (replyTo === undefined ? chat.send(text) : chat.reply(replyTo, text))
  }

  async #showEarlier(): Promise<void> {
    const before = this.#log.oldest
    if (this.#chat === undefined || before === undefined) return
    this.#earlier.disabled = true
    try {
      const messages = await this.#chat.requestBacklog({ limit: PAGE, before })
      this.#take(messages, { live: false })
      this.#earlier.hidden = messages.length < PAGE
    } catch {
      // The room was left meanwhile, or the oldest message is out of the window by now.
      this.#earlier.hidden = true
    } finally {
      this.#earlier.disabled = false
    }
  }

  #settle(): void {
    this.#settled = true
    this.#log.element.setAttribute('aria-busy', 'false')
    this.#showQuiet()
  }

  #showMembers(): void {
    const members = this.#members()
    for (const member of members) if (this.#options.people.learn(member)) this.#onRenamed(member.did)
    this.#panel.show(members)
    this.#showQuiet()
  }

  #showQuiet(): void {
    this.#quiet.element.hidden = !this.#log.isEmpty
    const others = this.#members().filter(({ did }) => did !== this.#options.space.did)
    if (this.#settled && this.#log.isEmpty) this.#quiet.showEmpty(others)
  }

  #onRenamed(did: string): void {
    this.#log.rename(did)
    this.#typing.rename()
    this.#panel.show(this.#members())
  }

  #members(): Member[] {
    return this.#chat?.members() ?? []
  }
}
