import { registerHooks } from 'node:module'

/**
 * The libp2p nodes that were made in this process since this module was loaded, in order. The package does not show
 * its own, and asking `space.diagnose()` for the number of direct connections would disturb what is measured: it probes
 * ICE and pings everybody. Import this before the package.
 */
export const captured = []

globalThis.ghostchatBenchCaptured = captured

registerHooks({
  resolve(specifier, context, next) {
    const found = next(specifier, context)
    if (specifier !== 'libp2p' || !context.parentURL?.includes('/dist/')) return found
    return { url: `bench:libp2p?${found.url}`, format: 'module', shortCircuit: true }
  },
  load(url, context, next) {
    if (!url.startsWith('bench:libp2p?')) return next(url, context)
    const real = JSON.stringify(url.slice('bench:libp2p?'.length))
    const source = `
      import * as real from ${real}
      export * from ${real}
      export const createLibp2p = async (options) => {
        const node = await real.createLibp2p(options)
        globalThis.ghostchatBenchCaptured.push(node)
        return node
      }`
    return { format: 'module', source, shortCircuit: true }
  },
})
