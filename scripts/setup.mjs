/**
 * Makes a fresh clone ready: the dependencies and, with `--browsers`, what the end-to-end tests drive: two browsers
 * and, for root on Debian, the tools of the network laboratory.
 *
 * It runs before anything is installed, hence without dependencies, and on any Node from 18 up.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const stamp = join(root, 'node_modules', '.ghostchat-lockfile')

/** Where Debian and Ubuntu put the browsers. `e2e/support/browsers.ts` prefers the same files. */
const debianBrowsers = { chromium: '/usr/bin/chromium', 'firefox-esr': '/usr/bin/firefox-esr' }

/** What the network laboratory in `e2e/matrix` runs, by Debian package. */
const debianTools = {
  iproute2: '/usr/sbin/ip',
  nftables: '/usr/sbin/nft',
  openssl: '/usr/bin/openssl',
  coturn: '/usr/bin/turnserver',
  nginx: '/usr/sbin/nginx',
  'webkit2gtk-driver': '/usr/bin/WebKitWebDriver',
  xvfb: '/usr/bin/Xvfb',
}

/** Where Debian looks whether services may be started when they are installed. */
const servicePolicy = '/usr/sbin/policy-rc.d'

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
    if (process.getuid() === 0) aptInstall(packages)
    else {
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

/**
 * Installs what the network laboratory needs where it can run at all, which is as root on Linux. Its absence is no
 * error here: its tests say what is missing.
 */
export function ensureLaboratory() {
  const missing = Object.keys(debianTools).filter((name) => !existsSync(debianTools[name]))
  if (missing.length === 0 || process.platform !== 'linux' || process.getuid() !== 0) return
  if (run('apt-get', ['--version'], 'ignore')) aptInstall(missing)
}

/** Installs Debian packages. A server among them is not started. */
function aptInstall(packages) {
  say(`installing ${packages.join(', ')} (apt-get)`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const hasPolicy = existsSync(servicePolicy)
  // 101: not allowed (invoke-rc.d(8)).
  if (!hasPolicy) writeFileSync(servicePolicy, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    run('apt-get', ['update', '-qq'], undefined, env)
    // One by one, so that a distribution without one of them (Ubuntu has no firefox-esr) still gets the others.
    for (const name of packages) {
      run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', name], undefined, env)
    }
  } finally {
    if (!hasPolicy) rmSync(servicePolicy, { force: true })
  }
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
  if (process.argv.includes('--browsers')) {
    ensureBrowsers()
    ensureLaboratory()
  }
}
