import { svg } from './element.ts'

/** By name: the path, drawn with a pen of 1.6 on 20 × 20. */
const paths = {
  people:
    'M7.5 9.5a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM2 16.5c0-3 2.4-4.5 5.5-4.5s5.5 1.5 5.5 4.5M13 3.9a3 3 0 0 1 0 5.2M15 12.4c1.8.6 3 2 3 4.1',
  link: 'M8.5 11.5a3.5 3.5 0 0 0 5 0l2.5-2.5a3.5 3.5 0 0 0-5-5l-.8.8M11.5 8.5a3.5 3.5 0 0 0-5 0L4 11a3.5 3.5 0 0 0 5 5l.8-.8',
  send: 'M4 10h5M4 10 3 3.6c-.1-.6.5-1 1-.8l13 6.5c.6.3.6 1.1 0 1.4l-13 6.5c-.5.2-1.1-.2-1-.8L4 10Z',
  reply: 'M8 5 3 10l5 5M3.5 10H12c3 0 5 2 5 5',
  check: 'm4 10.5 4 4 8-9',
  clock: 'M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM10 6v4l2.5 2',
  alert: 'M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM10 6.5v4M10 13.3v.1',
  close: 'm5 5 10 10M15 5 5 15',
  down: 'M10 4v12M5 11l5 5 5-5',
  pencil: 'm4 16 .8-3.5L13 4.3a1.4 1.4 0 0 1 2 0l.7.7a1.4 1.4 0 0 1 0 2L7.5 15.2 4 16Z',
}

/** A small drawing beside or instead of words; the words are the caller's, for nobody is read a drawing. */
export function icon(name: keyof typeof paths): SVGSVGElement {
  return svg(
    'svg',
    { class: 'icon', viewBox: '0 0 20 20', 'aria-hidden': 'true', focusable: 'false' },
    svg('path', { d: paths[name] }),
  )
}
