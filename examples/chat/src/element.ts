const SVG = 'http://www.w3.org/2000/svg'

type Attributes = Record<string, string | number | boolean | undefined>
type Child = Node | string | undefined

/**
 * An HTML element. Strings among the children become text nodes: nothing here, or anywhere on this page, parses
 * a text as HTML.
 */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  return fill(document.createElement(tag), attributes, children)
}

/** An SVG element. Colours are attributes, never a `style`: the page's CSP forbids that one. */
export function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): SVGElementTagNameMap[K] {
  return fill(document.createElementNS(SVG, tag), attributes, children)
}

/** Sets an attribute, or removes it when there is no value for it. */
function setAttribute(target: Element, name: string, value: string | number | boolean | undefined): void {
  if (value === undefined || value === false) target.removeAttribute(name)
  else target.setAttribute(name, value === true ? '' : String(value))
}

function fill<E extends Element>(target: E, attributes: Attributes, children: Child[]): E {
  for (const [name, value] of Object.entries(attributes)) setAttribute(target, name, value)
  target.append(...children.filter((child) => child !== undefined))
  return target
}
