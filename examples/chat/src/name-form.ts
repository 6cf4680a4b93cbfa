import { cleanName } from './display-name.ts'
import { element } from './element.ts'

/** The form in which the visitor takes a name. */
export function createNameForm(options: {
  name: string
  action: string
  onName(name: string): void
}): HTMLFormElement {
  const input = element('input', {
    type: 'text',
    name: 'name',
    value: options.name,
    placeholder: 'Your name',
    'aria-label': 'Your name',
    'aria-describedby': 'name-problem',
    autocomplete: 'nickname',
    autocapitalize: 'words',
    spellcheck: 'false',
    enterkeyhint: 'go',
    maxlength: 200,
    dir: 'auto',
    'data-testid': 'name-input',
  })
  const problem = element('p', { class: 'failure', id: 'name-problem', role: 'alert' })
  const form = element(
    'form',
    { class: 'name-form', autocomplete: 'on' },
    input,
    element('button', { class: 'primary', type: 'submit', 'data-testid': 'name-submit' }, options.action),
    problem,
  )
  input.addEventListener('input', () => problem.replaceChildren())
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    const name = cleanName(input.value)
    if (name !== '') options.onName(name)
    else {
      problem.textContent = 'A name needs at least one letter that shows.'
      input.focus()
    }
  })
  return form
}
