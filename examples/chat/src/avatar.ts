import { svg } from './element.ts'
import { colours, hashOf } from './looks.ts'

const GHOST = 'M12 38V23a12 12 0 0 1 24 0v15q-2 4-4 0t-4 0-4 0-4 0-4 0-4 0z'
const INK = '#22323a'
const SHEET = '#fdfefd'

type Part = () => SVGElement[]

/** A line of the face. */
function stroke(d: string): SVGElement {
  return svg('path', { d, fill: 'none', stroke: INK, 'stroke-width': 1.7, 'stroke-linecap': 'round' })
}

function dot(cx: number, cy: number, rx: number, ry = rx, fill = INK): SVGElement {
  return svg('ellipse', { cx, cy, rx, ry, fill })
}

const eyes: readonly Part[] = [
  () => [dot(20, 23, 1.9), dot(28, 23, 1.9)],
  () => [dot(20, 22.5, 1.7, 2.7), dot(28, 22.5, 1.7, 2.7)],
  () => [stroke('M18 23.5q2-3 4 0'), stroke('M26 23.5q2-3 4 0')],
  () => [dot(20, 23, 2.7), dot(28, 23, 2.7), dot(20.9, 22, 0.9, 0.9, SHEET), dot(28.9, 22, 0.9, 0.9, SHEET)],
  () => [stroke('M18 22.5q2 2.6 4 0'), stroke('M26 22.5q2 2.6 4 0')],
  () => [dot(20, 23, 1.9), stroke('M26 23.5q2-2.6 4 0')],
]

const mouths: readonly Part[] = [
  () => [],
  () => [dot(24, 29.5, 1.5, 2)],
  () => [stroke('M21.5 28.5q2.5 2.8 5 0')],
  () => [stroke('M22.5 29h3')],
  () => [stroke('M21 28.3q1.5 2 3 0q1.5 2 3 0')],
]

const extras: readonly Part[] = [
  () => [],
  () => [dot(16.5, 27, 1.9, 1.3, '#f6a9a0'), dot(31.5, 27, 1.9, 1.3, '#f6a9a0')],
  () => [
    svg('path', { d: 'M24 11.5V7.5q-4.5.5-4.5-3.5q4.5-.5 4.5 3.5q0-4.5 5-4q-.3 4.5-5 4', fill: '#3f8f5b' }),
  ],
  () => [
    svg('ellipse', { cx: 24, cy: 7.5, rx: 6.5, ry: 2, fill: 'none', stroke: '#fff6cf', 'stroke-width': 1.7 }),
  ],
  () => [
    stroke('M15.8 23a4.2 4.2 0 1 0 8.4 0a4.2 4.2 0 1 0-8.4 0M24.2 23a4.2 4.2 0 1 0 8 0a4.2 4.2 0 1 0-8 0'),
  ],
  () => [svg('path', { d: 'M24 12.5l-5-2.8v5.6zl5-2.8v5.6z', fill: '#e0566f' })],
]

/** The ghost somebody is: drawn from the DID alone, so that it is the same on every screen. */
export function createAvatar(did: string): SVGSVGElement {
  const hash = hashOf(did)
  const pick = <T>(list: readonly T[], divisor: number): T | undefined =>
    list[Math.floor(hash / divisor) % list.length]
  return svg(
    'svg',
    { class: 'avatar', viewBox: '3 2 42 42', 'aria-hidden': 'true', focusable: 'false' },
    svg('rect', { x: 3, y: 2, width: 42, height: 42, fill: pick(colours, 1)?.fill }),
    svg('path', { d: GHOST, fill: SHEET }),
    ...(pick(eyes, 12)?.() ?? []),
    ...(pick(mouths, 72)?.() ?? []),
    ...(pick(extras, 360)?.() ?? []),
  )
}
