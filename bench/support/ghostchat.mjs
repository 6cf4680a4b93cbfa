/** The built package, as its users have it. Found at run time, so that the linter does not need a build. */
const dist = (path) => new URL(`../../dist/${path}`, import.meta.url).href

export const { openSpace } = await import(dist('index.js'))
export const { createGhostNode } = await import(dist('node/index.js'))
export const testing = await import(dist('testing/index.js'))
