/**
 * `npm run bench [-- part …] [-- --quick] [-- --only=peer,peer]`: makes the measurements ready and runs them. Installs what
 * only they need into `bench/node_modules` and builds the package where it is stale.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildPackageIfStale } from '../scripts/build-if-stale.mjs'

const here = fileURLToPath(new URL('.', import.meta.url))
ensureDependencies()
buildPackageIfStale()
const main = join(here, 'main.mjs')
process.exit(spawnSync(process.execPath, [main, ...process.argv.slice(2)], { stdio: 'inherit' }).status ?? 1)

/** Installs them if they are missing or were installed from another lockfile. */
function ensureDependencies() {
  const stamp = join(here, 'node_modules', '.ghostchat-lockfile')
  const lockfile = createHash('sha256')
    .update(readFileSync(join(here, 'package-lock.json')))
    .digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lockfile) return
  console.log('bench: installing dependencies (npm ci)')
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error']
  const options = { cwd: here, stdio: 'inherit', shell: process.platform === 'win32' }
  if (spawnSync('npm', args, options).status !== 0) {
    console.error('bench: the dependencies could not be installed; the error is above. To try again: npm ci')
    process.exit(1)
  }
  writeFileSync(stamp, lockfile)
}
