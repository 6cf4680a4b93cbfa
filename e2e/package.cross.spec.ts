import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { chromium, expect, test } from '@playwright/test'
import { createGhostNode, type GhostNode } from 'ghostchat/node'
import { serveStatic } from '../scripts/static-server.mjs'
import { chromiumLaunch } from './support/browsers.ts'
import { collect, run } from './support/shell.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const TOOLS = join(ROOT, 'node_modules', '.bin')
const QUICK_START = join(ROOT, 'examples', 'minimal', 'chat.js')
/** The node the quick start names. */
const QUICK_START_PORT = 8787

test.describe.configure({ mode: 'serial', timeout: 180_000 })

let project: string
let node: GhostNode | undefined
const children: ChildProcess[] = []

/** Somebody's empty project, into which the packed package is installed. */
test.beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'ghostchat-project-'))
  const packed = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', project], {
    cwd: ROOT,
  })
  const [{ filename }] = JSON.parse(packed.slice(packed.indexOf('[')))
  await writeFile(join(project, 'package.json'), '{ "type": "module", "private": true }')
  const install = [
    'install',
    `./${filename}`,
    '--no-audit',
    '--no-fund',
    '--prefer-offline',
    '--loglevel=error',
  ]
  await run('npm', install, { cwd: project })
  await cp(QUICK_START, join(project, 'chat.mjs'))
  // Somebody may have `npm start` running: then the quick start talks to that node.
  node = await createGhostNode({ host: '127.0.0.1', port: QUICK_START_PORT }).catch((error: Error) => {
    if (/taken/.test(error.message)) return undefined
    throw error
  })
})

test.afterAll(async () => {
  for (const child of children) child.kill('SIGKILL')
  await node?.stop()
  await rm(project, { recursive: true, force: true })
})

test('the README prints the quick start as it is, in 20 lines at the most', async () => {
  const source = await readFile(QUICK_START, 'utf8')
  const readme = await readFile(join(ROOT, 'README.md'), 'utf8')
  expect(readme).toContain(`\`\`\`js\n${source}\`\`\``)
  expect(source.trimEnd().split('\n').length).toBeLessThanOrEqual(20)
})

test('the quick start runs in Node, from the packed package, in two terminals', async () => {
  const [ada, bob] = [quickStart(), quickStart()]
  for (const output of [ada, bob]) {
    await expect.poll(output).toMatch(/online: \[/)
    await expect.poll(output).toMatch(/new message from did:key:z6Mk\w+: hello world/)
    await expect.poll(output).toMatch(/new message from did:key:z6Mk\w+: this is my reply/)
  }
  const authors = (): number => new Set(`${ada()}${bob()}`.match(/did:key:z6Mk\w+(?= joined)/g)).size
  await expect.poll(authors).toBe(2)
  const third = quickStart()
  await expect.poll(third).toMatch(/said before: hello world[\s\S]*said before: this is my reply/)
})

test('the installed command runs a node', async () => {
  const command = join(project, 'node_modules', '.bin', 'ghostchat')
  const args = [
    'node',
    '--json',
    '--port',
    '0',
    '--host',
    '127.0.0.1',
    '--data-dir',
    join(project, 'node-data'),
  ]
  const child = start(command, args)
  const lines = createInterface({ input: child.stdout ?? process.stdin })
  const [line] = (await once(lines, 'line')) as [string]
  const { url, peerId } = JSON.parse(line)
  const info = await (await fetch(`${url}/.well-known/ghostchat.json`)).json()
  expect(info).toMatchObject({ peerId })
  child.kill('SIGTERM')
  expect(await once(child, 'exit')).toEqual([0, null])
})

for (const bundler of ['esbuild', 'vite']) {
  test(`the quick start bundles for the browser with ${bundler}, without configuration, and runs`, async () => {
    const site = join(project, `site-${bundler}`)
    await mkdir(site)
    await cp(QUICK_START, join(site, 'main.js'))
    await writeFile(
      join(site, 'index.html'),
      '<!doctype html><script type="module" src="./main.js"></script>',
    )
    const output = join(site, 'dist')
    if (bundler === 'vite')
      await run(join(TOOLS, 'vite'), ['build', site, '--logLevel', 'warn'], { cwd: project })
    else {
      const args = [join(site, 'main.js'), '--bundle', '--format=esm', `--outfile=${join(output, 'main.js')}`]
      await run(join(TOOLS, 'esbuild'), [...args, '--log-level=warning'], { cwd: project })
      await cp(join(site, 'index.html'), join(output, 'index.html'))
    }
    const server = await serveStatic({ directory: output })
    const browser = await chromium.launch(chromiumLaunch)
    const page = await browser.newPage()
    const lines: string[] = []
    page.on('console', (message) => lines.push(message.text()))
    page.on('pageerror', (error) => lines.push(`page error: ${error}`))
    await page.goto(server.url)
    await expect.poll(() => lines.join('\n')).toMatch(/hello world[\s\S]*this is my reply[\s\S]*online:/)
    expect(lines.join('\n')).not.toContain('page error')
    await browser.close()
    await server.close()
  })
}

function quickStart(): () => string {
  return collect(start(process.execPath, ['chat.mjs']))
}

function start(command: string, args: string[]): ChildProcess {
  const child = spawn(command, args, { cwd: project, stdio: ['ignore', 'pipe', 'pipe'] })
  children.push(child)
  return child
}
