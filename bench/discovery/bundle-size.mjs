/** How many bytes a page loads: for GhostChat, and for Helia with the DHT client that it has by default. */

import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { round } from '../support/stats.mjs'

const here = fileURLToPath(new URL('.', import.meta.url))

/** The parts of libp2p that a client of either kind has, in the versions of this folder. */
const STACK = `
  export { createLibp2p } from 'libp2p'
  export { noise } from '@libp2p/noise'
  export { yamux } from '@libp2p/yamux'
  export { identify } from '@libp2p/identify'
  export { ping } from '@libp2p/ping'
`
const ENTRIES = [
  {
    name: 'GhostChat, all of it',
    code: `export * from '${new URL('../../dist/index.js', import.meta.url).pathname}'`,
  },
  { name: 'Helia with its libp2p and DHT client', code: `export { createHelia } from 'helia'` },
  { name: 'the core of libp2p', code: STACK },
  {
    name: 'the core of libp2p and @libp2p/kad-dht',
    code: `${STACK} export { kadDHT } from '@libp2p/kad-dht'`,
  },
]

export const bundleSize = {
  name: 'bundle-size',
  question: 'How much does a page load?',
  method: `Bundled by esbuild for a browser, minified, and compressed by gzip; 1 KB is 1,000 bytes.`,
  measure: async () => {
    const rows = []
    for (const { name, code } of ENTRIES) rows.push({ name, ...(await sizesOf(code)) })
    return rows
  },
  tables: (rows) => [
    {
      rows: rows.map(({ name, atOnce, later }) => ({
        '': name,
        'at once, gzip, KB': atOnce.gzipKb,
        'minified, KB': atOnce.minKb,
        'when it is needed, gzip, KB': later.gzipKb,
      })),
    },
  ],
}

/** What is loaded at once, and what later by a dynamic import. */
async function sizesOf(code) {
  const { outputFiles, metafile } = await build({
    stdin: { contents: code, resolveDir: here, sourcefile: 'entry.js' },
    bundle: true,
    splitting: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    outdir: `${here}out`,
    write: false,
    metafile: true,
    logLevel: 'error',
    tsconfigRaw: {},
  })
  const atOnce = new Set()
  const follow = (path) => {
    if (atOnce.has(path)) return
    atOnce.add(path)
    for (const { path: imported, kind, external } of metafile.outputs[path].imports) {
      if (kind === 'import-statement' && !external) follow(imported)
    }
  }
  follow(
    Object.keys(metafile.outputs).find(
      (path) => metafile.outputs[path].entryPoint !== undefined && /(^|\/)stdin\.js$/.test(path),
    ),
  )
  const total = (files) => ({
    minKb: round(files.reduce((bytes, { contents }) => bytes + contents.length, 0) / 1000, 1),
    gzipKb: round(files.reduce((bytes, { contents }) => bytes + gzipSync(contents).length, 0) / 1000, 1),
  })
  const isAtOnce = ({ path }) => [...atOnce].some((name) => path.endsWith(name.split('/').at(-1)))
  return {
    atOnce: total(outputFiles.filter(isAtOnce)),
    later: total(outputFiles.filter((file) => !isAtOnce(file))),
  }
}
