import { createAvatar } from './avatar.ts'
import { element } from './element.ts'
import { icon } from './icon.ts'
import { createNameForm } from './name-form.ts'

/** Asks, over the page, for another name. It goes away by itself. */
export function openNameDialog(options: { did: string; name: string; onName(name: string): void }): void {
  const { did, name, onName } = options
  const close = element('button', { class: 'quiet', type: 'button', 'aria-label': 'Close' }, icon('close'))
  const dialog = element(
    'dialog',
    { class: 'dialog', 'aria-labelledby': 'dialog-title' },
    element('header', {}, element('h2', { id: 'dialog-title' }, 'You'), close),
    element('div', { class: 'dialog-ghost' }, createAvatar(did)),
    createNameForm({
      name,
      action: 'Save',
      onName: (changed) => {
        onName(changed)
        dialog.close()
      },
    }),
    element(
      'p',
      { class: 'dialog-did' },
      'Your DID, which nobody else can sign for:',
      element('code', {}, did),
    ),
  )
  close.addEventListener('click', () => dialog.close())
  dialog.addEventListener('click', (event) => {
    if (event.target === dialog) dialog.close()
  })
  dialog.addEventListener('close', () => dialog.remove())
  document.body.append(dialog)
  dialog.showModal()
  dialog.querySelector('input')?.select()
}
