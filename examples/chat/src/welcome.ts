import { createAvatar } from './avatar.ts'
import { cleanLine } from './display-name.ts'
import { element } from './element.ts'
import { createNameForm } from './name-form.ts'
import { tailOf } from './person-label.ts'

/** The first thing a new visitor sees: the ghost they are, and the question for its name. */
export function createWelcome(options: {
  did: string
  room: string
  /** Whether the DID stays for the next visit. */
  kept: boolean
  onName(name: string): void
}): HTMLElement {
  const { did, kept, room, onName } = options
  const ghost = element('div', { class: 'welcome-ghost' }, createAvatar(did))
  return element(
    'main',
    { class: 'welcome' },
    element(
      'p',
      { class: 'brand' },
      element('img', { src: './ghost.svg', alt: '', width: 28, height: 28 }),
      'GhostChat',
    ),
    element(
      'div',
      { class: 'welcome-card' },
      ghost,
      element('h1', {}, 'Boo! This is you.'),
      element(
        'p',
        { class: 'welcome-lead' },
        'Give your ghost a name to enter ',
        element('strong', { class: 'welcome-room' }, element('bdi', {}, `#${cleanLine(room)}`)),
      ),
      createNameForm({ name: '', action: 'Enter', onName }),
      element(
        'p',
        { class: 'welcome-note' },
        'Nothing said here is stored. It lives with those who are in the room, and is gone within a day.',
      ),
    ),
    element(
      'p',
      { class: 'welcome-did', title: did },
      'Your key ends in ',
      element('span', { class: 'person-tail' }, tailOf(did)),
      kept ? ', and it stays in this browser.' : ', and it is gone with this tab.',
    ),
  )
}
