import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/**
 * Builds the package where `dist` is missing or older than what it is made of.
 *
 * @throws {Error} where the build fails
 */
export function buildPackageIfStale() {
  const inputs = ['src', 'package.json', 'tsconfig.json', 'tsup.config.ts']
  // The declarations come last: while they are missing, the build has not been finished.
  if (isStale(['dist/index.js', 'dist/index.d.ts'], inputs))
    build('the package', 'node_modules/tsup/dist/cli-default.js')
}

/**
 * Builds the chat page of `examples/chat`, which is made from the built package.
 *
 * @throws {Error} where the build fails
 */
export function buildPageIfStale() {
  if (isStale(['examples/chat/dist/index.html'], ['examples/chat', 'dist', 'package.json'])) {
    build('the chat page', 'node_modules/vite/bin/vite.js', 'build', 'examples/chat', '--logLevel', 'warn')
  }
}

function build(what, script, ...args) {
  console.log(`building ${what}`)
  const quiet = script.includes('tsup') ? ['--silent'] : []
  const result = spawnSync(process.execPath, [join(root, script), ...args, ...quiet], {
    cwd: root,
    stdio: 'inherit',
  })
  if (result.status !== 0) throw new Error(`unable to build ${what}; see the output above`)
}

function isStale(outputs, inputs) {
  if (!outputs.every((path) => existsSync(join(root, path)))) return true
  const oldest = Math.min(...outputs.map((path) => statSync(join(root, path)).mtimeMs))
  return inputs.some((path) => newest(join(root, path)) > oldest)
}

/** The newest change at or below a path. Folders count too: a deletion shows only in them. */
function newest(path) {
  const stat = statSync(path)
  if (!stat.isDirectory()) return stat.mtimeMs
  const inside = readdirSync(path).filter((name) => name !== 'node_modules' && name !== 'dist')
  // The folder that a build writes its `dist` into changes with every build, so it only counts by its contents.
  const own = existsSync(join(path, 'dist')) ? 0 : stat.mtimeMs
  return Math.max(own, ...inside.map((name) => newest(join(path, name))))
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) buildPackageIfStale()
