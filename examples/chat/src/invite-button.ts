import { element } from './element.ts'
import { icon } from './icon.ts'
import { inviteLink } from './room-name.ts'

const REMARK_MS = 2_000

/** A button that gives the visitor the room's link, to send to somebody. */
export function createInviteButton(room: string, appearance: 'plain' | 'bold'): HTMLButtonElement {
  const words = element('span', { class: 'invite-words' }, 'Copy link')
  const button = element(
    'button',
    { class: `invite invite-${appearance}`, type: 'button', title: 'Copy the link to this room' },
    icon('link'),
    words,
  )
  button.addEventListener('click', async () => {
    const done = await copy(inviteLink(location.href, room))
    if (!done) return
    button.replaceChildren(icon('check'), words)
    words.textContent = 'Link copied'
    setTimeout(() => {
      button.replaceChildren(icon('link'), words)
      words.textContent = 'Copy link'
    }, REMARK_MS)
  })
  return button
}

/** Pages without https have no clipboard; there the visitor copies. */
async function copy(link: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(link)
    return true
  } catch {
    prompt('The link to this room:', link)
    return false
  }
}
