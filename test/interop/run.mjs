/**
 * Our rendezvous point and client with those of rust-libp2p, in both directions: `npm run interop`. Needs cargo, and
 * the crates of rust/Cargo.lock from a registry; so it is a command of its own and not a part of `npm test`.
 *
 * `--capture <file>` writes the messages of rust-libp2p as they came, for the conformance tests.
 */
import { spawn, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { identify } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { systemClock } from '../../src/clock.ts'
import { RendezvousClient } from '../../src/discovery/rendezvous-client.ts'
import { silentLogger } from '../../src/logger.ts'
import { Registry } from '../../src/node/rendezvous/registry.ts'
import { RendezvousServer } from '../../src/node/rendezvous/rendezvous-server.ts'
import { systemRandom } from '../../src/random.ts'

const LINE_TIMEOUT_MS = 20_000
const crate = fileURLToPath(new URL('rust', import.meta.url))
/** Where linters and git do not look. */
const targetFolder = fileURLToPath(new URL('../../node_modules/.cache/interop', import.meta.url))
const lobby = '3box.chat.my-dapp.lobby'
const counts = { passed: 0, failed: 0 }
/** Everything to be ended. */
const cleanups = []
/** What the other side of our point and client wrote, by the test in which it did. */
const captured = []
let runningTest = ''

const program = build()
await run('rust-libp2p clients find each other at our point', rustAtOurs)
await run('a rust-libp2p client reads on with a cookie of ours', rustReadsOn)
await run('a rust-libp2p client understands what our point refuses', rustIsRefused)
await run('rust-libp2p and js-libp2p in one namespace of our point both get answers they can read', bothForms)
await run('our client registers, discovers and unregisters at a point of rust-libp2p', oursAtRust)
await run('our client and one of rust-libp2p find each other at a point of rust-libp2p', oursMeetsRust)
console.log(`${counts.passed} passed, ${counts.failed} failed`)
const captureAt = process.argv.indexOf('--capture')
if (captureAt > 0) writeFileSync(process.argv[captureAt + 1], `${JSON.stringify(captured, null, 2)}\n`)
process.exit(counts.failed === 0 ? 0 : 1)

async function rustAtOurs() {
  const point = await ourPoint()
  const [ada, bob] = [await rustClient(point.address), await rustClient(point.address)]
  expect(await ada.ask(`register ${lobby}`), 'registered 7200')
  expect(await bob.ask(`register ${lobby} 10000`), 'registered 10000')
  expect(await bob.ask(`register elsewhere`), 'registered 7200')
  const all = (await ada.ask(`discover ${lobby}`)).split(' ').slice(1)
  expect(all.sort(), [`${ada.id},${lobby},7200,1`, `${bob.id},${lobby},10000,1`].sort())
  const everywhere = (await ada.ask('discover *')).split(' ').slice(1)
  expect(everywhere.length, 3)
  bob.tell(`unregister ${lobby}`)
  await until(() => point.registry.size === 2)
  expect(await ada.ask(`discover ${lobby}`), `discovered ${ada.id},${lobby},7200,1`)
}

async function rustReadsOn() {
  const point = await ourPoint()
  const [ada, bob, eve] = await Promise.all([1, 2, 3].map(() => rustClient(point.address)))
  await ada.ask(`register ${lobby}`)
  await bob.ask(`register ${lobby}`)
  const first = (await eve.ask(`discover ${lobby} 1`)).split(' ')
  const second = (await eve.ask(`discover ${lobby} 1 again`)).split(' ')
  expect([first.length, second.length], [2, 2])
  expect([first[1], second[1]].map((one) => one.split(',')[0]).sort(), [ada.id, bob.id].sort())
  expect(await eve.ask(`discover ${lobby} 10 again`), 'discovered ')
  await ada.ask(`register ${lobby} 8000`)
  expect(await eve.ask(`discover ${lobby} 10 again`), `discovered ${ada.id},${lobby},8000,1`)
}

async function rustIsRefused() {
  const point = await ourPoint()
  const ada = await rustClient(point.address)
  expect(await ada.ask(`register ${lobby} 60`), 'registered 7200')
  expect(await ada.ask(`register ${lobby} 259200`), 'registered 259200')
  expect(await ada.ask(`register ${lobby} 259201`), 'refused InvalidTtl')
  await ada.ask(`discover ${lobby}`)
  expect(await ada.ask('discover elsewhere 10 again'), 'refused InvalidCookie')
}

async function bothForms() {
  const point = await ourPoint()
  const rust = await rustClient(point.address)
  const { client, connection, libp2p } = await ourClient(point.address)
  await client.register(connection, { namespace: lobby })
  expect(await rust.ask(`register ${lobby}`), 'registered 7200')
  expect(await rust.ask(`discover ${lobby}`), `discovered ${rust.id},${lobby},7200,1`)
  const other = await ourClient(point.address)
  const { peers } = await other.client.discover(other.connection, { namespace: lobby })
  expect(
    peers.map(({ peerId }) => peerId),
    [libp2p.peerId.toString()],
  )
}

async function oursAtRust() {
  const address = await rustPoint()
  const [ada, bob] = [await ourClient(address), await ourClient(address)]
  expect(await ada.client.register(ada.connection, { namespace: lobby }), 7_200)
  expect(await bob.client.register(bob.connection, { namespace: lobby, ttlSeconds: 10_000 }), 10_000)
  const first = await ada.client.discover(ada.connection, { namespace: lobby })
  expect(
    first.peers.map(({ peerId, ttlSeconds }) => [peerId, ttlSeconds]),
    [[bob.libp2p.peerId.toString(), 10_000]],
  )
  expect(first.peers[0].addresses.map(String), bob.libp2p.getMultiaddrs().map(String))
  const { cookie } = first
  expect((await ada.client.discover(ada.connection, { namespace: lobby, cookie })).peers, [])
  const elsewhere = ada.client.discover(ada.connection, { namespace: 'elsewhere', cookie })
  expect(await statusOf(elsewhere), 'E_INVALID_COOKIE')
  const short = ada.client.register(ada.connection, { namespace: lobby, ttlSeconds: 60 })
  expect(await statusOf(short), 'E_INVALID_TTL')
  await bob.client.unregister(bob.connection, { namespace: lobby })
  await until(
    async () => (await ada.client.discover(ada.connection, { namespace: lobby })).peers.length === 0,
  )
}

async function oursMeetsRust() {
  const address = await rustPoint()
  const rust = await rustClient(address)
  const { client, connection, libp2p } = await ourClient(address)
  expect(await rust.ask(`register ${lobby}`), 'registered 7200')
  await client.register(connection, { namespace: lobby })
  const { peers } = await client.discover(connection, { namespace: lobby })
  expect(
    peers.map(({ peerId }) => peerId),
    [rust.id],
  )
  const found = await rust.ask(`discover ${lobby}`)
  expect(found.includes(`${libp2p.peerId.toString()},${lobby},7200,1`), true)
}

async function run(title, test) {
  runningTest = title
  try {
    await test()
    counts.passed += 1
    console.log(`ok      ${title}`)
  } catch (thrown) {
    counts.failed += 1
    console.log(`FAILED  ${title}\n        ${thrown.stack}`)
  } finally {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  }
}

async function ourPoint() {
  const libp2p = await ourLibp2p()
  const registry = new Registry({ clock: systemClock, random: systemRandom })
  const server = new RendezvousServer({
    libp2p: capturing(libp2p),
    registry,
    clock: systemClock,
    logger: silentLogger,
    remoteIpOf: () => '127.0.0.1',
  })
  await server.start()
  cleanups.push(() => server.stop())
  return { registry, address: libp2p.getMultiaddrs()[0].toString() }
}

async function ourClient(address) {
  const libp2p = await ourLibp2p()
  const connection = capturing(await libp2p.dial(multiaddr(address)))
  return { libp2p, connection, client: new RendezvousClient({ libp2p }) }
}

async function ourLibp2p() {
  const libp2p = await createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0/ws'] },
    transports: [webSockets()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: { identify: identify() },
  })
  cleanups.push(() => libp2p.stop())
  return libp2p
}

/** The same libp2p node or connection, whose streams of the protocol are listened to. */
function capturing(target) {
  const title = runningTest
  const listen = (stream, from) => {
    const message = { test: title, from, hex: '' }
    captured.push(message)
    stream.addEventListener('message', ({ data }) => {
      message.hex += Buffer.from(data.subarray()).toString('hex')
    })
    return stream
  }
  return new Proxy(target, {
    get(_target, name) {
      const value = Reflect.get(target, name)
      if (name === 'handle') {
        return (protocol, handler, options) =>
          target.handle(
            protocol,
            (stream, connection) => handler(listen(stream, 'client'), connection),
            options,
          )
      }
      if (name === 'newStream') {
        return async (...given) => listen(await target.newStream(...given), 'point')
      }
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

async function rustPoint() {
  const [, address] = (await rust('server').next()).split(' ')
  return address
}

async function rustClient(address) {
  const client = rust('client', address)
  const [, id] = (await client.next()).split(' ')
  const tell = (command) => client.child.stdin.write(`${command}\n`)
  const ask = (command) => {
    tell(command)
    return client.next()
  }
  return { id, tell, ask }
}

/** Runs the program and reads what it prints, line by line. */
function rust(...given) {
  const child = spawn(program, given, { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  cleanups.push(() => child.kill())
  const next = async () => {
    const late = AbortSignal.timeout(LINE_TIMEOUT_MS)
    const silence = new Promise((_resolve, reject) => {
      late.addEventListener('abort', () => reject(new Error(`rust-libp2p said nothing: ${given.join(' ')}`)))
    })
    const { value, done } = await Promise.race([lines.next(), silence])
    if (done) throw new Error(`rust-libp2p ended: ${given.join(' ')}`)
    return value
  }
  return { child, next }
}

function build() {
  if (spawnSync('cargo', ['--version']).error !== undefined) {
    console.log('cargo is not installed: nothing was tested')
    process.exit(1)
  }
  console.log('building rust-libp2p; the first time takes some minutes')
  const built = spawnSync('cargo', ['build', '--locked', '--message-format', 'json-render-diagnostics'], {
    cwd: crate,
    env: { CARGO_TARGET_DIR: targetFolder, ...process.env },
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 64 * 1024 * 1024,
    encoding: 'utf8',
  })
  if (built.status !== 0) process.exit(1)
  const artifacts = built.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  return artifacts.findLast(({ executable }) => typeof executable === 'string').executable
}

async function statusOf(promise) {
  try {
    await promise
    return 'OK'
  } catch (thrown) {
    return thrown.status ?? thrown
  }
}

async function until(condition) {
  const end = Date.now() + LINE_TIMEOUT_MS
  while (!(await condition())) {
    if (Date.now() > end) throw new Error('it did not come to pass')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

function expect(actual, expected) {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)]
  if (a !== b) throw new Error(`${a} instead of ${b}`)
}
