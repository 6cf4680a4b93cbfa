/** A number made of a DID, always the same: what somebody looks like depends on it. */
export function hashOf(did: string): number {
  let hash = 0x811c9dc5
  for (const character of did) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  return (hash ^ (hash >>> 13)) >>> 0
}

/** By number of the colour: a soft one to stand on, and the hue of the name. */
export const colours = [
  { fill: '#f2a7a0', hue: 25 },
  { fill: '#f4b183', hue: 55 },
  { fill: '#ecc66f', hue: 85 },
  { fill: '#c3d077', hue: 115 },
  { fill: '#93d1a0', hue: 150 },
  { fill: '#74cdb8', hue: 175 },
  { fill: '#72c7d9', hue: 215 },
  { fill: '#85b4ee', hue: 255 },
  { fill: '#a5a4f0', hue: 285 },
  { fill: '#c69cea', hue: 310 },
  { fill: '#e39bd3', hue: 335 },
  { fill: '#f09cb5', hue: 5 },
] as const

/** The hue of somebody's name. */
export function hueOf(did: string): number {
  return colours[hashOf(did) % colours.length]?.hue ?? 0
}
