import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'

const folder = new URL('../results/', import.meta.url)
const root = new URL('../../', import.meta.url)

/** Writes what was measured to `results/<name>.json`, with where and when. */
export function saveResults(name, { command, ...results }) {
  mkdirSync(folder, { recursive: true })
  const file = new URL(`${name}.json`, folder)
  const content = { measured: { command, at: new Date().toISOString(), ...circumstances() }, ...results }
  writeFileSync(file, `${JSON.stringify(content, undefined, 2)}\n`)
}

/** The machine and the versions of what ran on it. */
function circumstances() {
  const [cpu] = cpus()
  return {
    commit: commit(),
    node: process.version,
    cpu: `${cpus().length} × ${cpu?.model ?? 'unknown'}`,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    versions: Object.fromEntries(
      ['libp2p', '@libp2p/gossipsub', '@libp2p/kad-dht', '@libp2p/webrtc', 'helia', 'esbuild'].map((name) => [
        name,
        versionOf(name),
      ]),
    ),
  }
}

/** As it is installed for the package, or else for the measurements. */
function versionOf(name) {
  for (const place of [root, new URL('../', import.meta.url)]) {
    try {
      return JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, place), 'utf8')).version
    } catch {
      // Looked for in the other place.
    }
  }
  return 'not installed'
}

function commit() {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  } catch {
    return 'unknown'
  }
}
