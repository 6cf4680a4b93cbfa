/**
 * Makes a fresh clone ready: the dependencies and, with `--browsers`, the two browsers the end-to-end tests drive.
 *
 * It runs before anything is installed, hence without dependencies, and on any Node from 18 up.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const stamp = join(root, 'node_modules', '.ghostchat-lockfile')

/** Where Debian and Ubuntu put the browsers. `e2e/support/browsers.ts` prefers the same files. */
const debianBrowsers = { chromium: '/usr/bin/chromium', 'firefox-esr': '/usr/bin/firefox-esr' }

/**
 * Installs the dependencies if they are missing or were installed from another lockfile. Where npm says that the
 * lockfile misses packages, see `complete-lockfile.mjs`.
 */
export function ensureDependencies() {
  const lockfile = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lockfile) return
  say('installing dependencies (npm ci)')
  // The Node that runs npm, because `npm ci` deletes the Node 24 in node_modules that may be running this.
  const npm = process.env.npm_execpath
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error']
  const ok =
    npm !== undefined && /npm-cli\.[cm]?js$/.test(npm)
      ? run(process.env.npm_node_execpath ?? process.execPath, [npm, ...args])
      : run('npm', args)
  if (!ok) fail('the dependencies could not be installed; the error is above. To try again: npm ci')
  writeFileSync(stamp, lockfile)
}

/** Makes sure that a Chromium and a Firefox are there, and exits with the command to run if they cannot be had. */
export function ensureBrowsers() {
  if (missingBrowsers().length === 0) return
  let advice = 'npx playwright install --with-deps chromium firefox'
  if (process.platform === 'linux' && run('apt-get', ['--version'], 'ignore')) {
    const packages = Object.keys(debianBrowsers).filter((name) => !existsSync(debianBrowsers[name]))
    if (process.getuid() === 0) {
      say(`installing ${packages.join(' and ')} (apt-get)`)
      const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
      run('apt-get', ['update', '-qq'], undefined, env)
      // One by one, so that a distribution without one of them (Ubuntu has no firefox-esr) still gets the other.
      for (const name of packages) {
        run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', name], undefined, env)
      }
    } else {
      advice = `sudo apt-get install -y ${packages.join(' ')}   (or: ${advice})`
    }
  }
  const missing = missingBrowsers()
  if (missing.length > 0) {
    say(`installing ${missing.join(' and ')} (playwright install)`)
    run(process.execPath, [join(root, 'node_modules/playwright/cli.js'), 'install', ...missing])
  }
  const still = missingBrowsers()
  if (still.length > 0) fail(`the tests need ${still.join(' and ')}. Run: ${advice}`)
}

/** The browsers for which neither Debian's nor Playwright's own build is installed. */
function missingBrowsers() {
  const playwright = createRequire(join(root, 'package.json'))('playwright')
  const found = {
    chromium: existsSync(debianBrowsers.chromium) || existsSync(playwright.chromium.executablePath()),
    firefox: existsSync(debianBrowsers['firefox-esr']) || existsSync(playwright.firefox.executablePath()),
  }
  return Object.keys(found).filter((name) => !found[name])
}

function run(command, args, stdio = ['ignore', 'inherit', 'inherit'], env = process.env) {
  const shell = process.platform === 'win32' && command === 'npm'
  return spawnSync(command, args, { cwd: root, stdio, env, shell }).status === 0
}

function say(line) {
  console.log(`setup: ${line}`)
}

function fail(line) {
  console.error(`setup: ${line}`)
  process.exit(1)
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  ensureDependencies()
  if (process.argv.includes('--browsers')) ensureBrowsers()
}
