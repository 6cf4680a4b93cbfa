/**
 * `npm start`: from a fresh clone to a running chat. Installs and builds what is missing, then runs a GhostNode and
 * serves the chat page beside it.
 *
 * `PORT` (8080) is the page's port and `GHOSTCHAT_NODE_PORT` (8787) the node's.
 */
import { spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensureDependencies } from './setup.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))

ensureDependencies()
if (isOldNode()) rerunUnderInstalledNode()
else await start()

async function start() {
  const { buildPackageIfStale, buildPageIfStale } = await import('./build-if-stale.mjs')
  const { serveStatic } = await import('./static-server.mjs')
  buildPackageIfStale()
  buildPageIfStale()

  const { createGhostNode } = await import('../dist/node/index.js')
  const nodePort = await freePort('GHOSTCHAT_NODE_PORT', 8787)
  const node = await createGhostNode({ port: nodePort, host: '0.0.0.0', dataDir: join(root, '.ghostchat') })
  const pagePort = await freePort('PORT', 8080)
  const page = await serveStatic({
    directory: join(root, 'examples/chat/dist'),
    port: pagePort,
    host: '',
    // A phone on the same network opens the page under this machine's name: there the node is too.
    config: (hostname) => ({ nodes: [`http://${hostname}:${nodePort}`] }),
  })

  console.log(`GhostChat is running: ${page.url}`)
  console.log(`GhostNode:            http://localhost:${nodePort}`)
  console.log('Open the page in two browsers and chat. Ctrl+C stops both.')

  await stopRequest()
  console.log('stopping')
  setTimeout(() => process.exit(1), 5000).unref()
  await Promise.all([page.close(), node.stop()])
  process.exit(0)
}

/** Whether this Node is older than the package wants (`engines`): the one of a fresh clone's first run may be. */
function isOldNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  return major < 22 || (major === 22 && minor < 12)
}

function rerunUnderInstalledNode() {
  const node = join(root, 'node_modules/node/bin', process.platform === 'win32' ? 'node.exe' : 'node')
  const child = spawn(node, [fileURLToPath(import.meta.url)], { stdio: 'inherit' })
  // The terminal sends Ctrl+C to both; a signal sent to this process alone is passed on.
  void stopRequest().then(() => child.kill('SIGTERM'))
  child.on('exit', (code, by) => process.exit(code ?? (by === null ? 0 : 1)))
}

/** The port that a variable asks for, or a free one, with a note, if something else listens there. */
async function freePort(variable, byDefault) {
  const wanted = Number(process.env[variable] || byDefault)
  if (!Number.isInteger(wanted) || wanted < 0 || wanted > 65_535) {
    console.error(`${variable} is not a port: ${process.env[variable]}`)
    process.exit(1)
  }
  const port = (await probe(wanted)) ?? (await probe(0))
  if (wanted !== 0 && port !== wanted)
    console.log(`port ${wanted} is taken, using ${port} (set ${variable} to choose)`)
  return port
}

/** The port if one can listen there, undefined if it is taken. */
function probe(port) {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (error) => (error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error)))
    server.listen(port, () => {
      const found = server.address().port
      server.close(() => resolve(found))
    })
  })
}

/** Ctrl+C, a SIGTERM, or the end of the npm that runs this: npm passes its signals to a shell, which keeps them. */
function stopRequest() {
  return new Promise((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM']) process.on(name, resolve)
    if (process.env.npm_lifecycle_event === undefined) return
    const parent = process.ppid
    setInterval(() => process.ppid !== parent && resolve(), 250)
  })
}
