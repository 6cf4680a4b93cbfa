import { type ChildProcess, spawn } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import type { Diagnosis } from '../../src/index.ts'
import { silentLogger } from '../../src/logger.ts'
import { createStunServer } from '../../src/node/stun-server.ts'
import { atEnd, barePeer, openTestSpace, startNode } from '../support/resources.ts'
import { ask, readMappedAddress, stunMessage } from '../support/stun.ts'
import { connected } from '../support/wait.ts'

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

function ghostchat(...args: string[]): ChildProcess {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  atEnd(() => child.kill('SIGKILL'))
  return child
}

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const child = ghostchat(...args)
  let out = ''
  let err = ''
  child.stdout?.on('data', (chunk) => {
    out += String(chunk)
  })
  child.stderr?.on('data', (chunk) => {
    err += String(chunk)
  })
  const [code] = await once(child, 'close')
  return { code, out, err }
}

/** A node as a process of its own, on free ports, and what it says of itself. */
async function ghostchatNode(...args: string[]) {
  const dataDir = await mkdtemp(join(tmpdir(), 'ghostchat-test-'))
  atEnd(() => rm(dataDir, { recursive: true }))
  const where = ['--port', '0', '--host', '127.0.0.1', '--data-dir', dataDir, '--json']
  const child = ghostchat('node', ...where, ...args)
  const lines = createInterface({ input: child.stdout ?? process.stdin })
  const [line] = (await once(lines, 'line')) as [string]
  return { child, dataDir, said: JSON.parse(line) as Record<string, unknown> & { url: string } }
}

async function describedAt(url: string): Promise<Record<string, unknown>> {
  return (await fetch(`${url}/.well-known/ghostchat.json`)).json() as Promise<Record<string, unknown>>
}

test.each(['SIGTERM', 'SIGINT'] as const)(
  '`ghostchat node --json` says where it listens on one line, serves, says goodbye at %s, and ends with 0',
  async (how) => {
    const { child, dataDir, said } = await ghostchatNode()
    const { url, peerId, stunPort } = said
    expect(said).toEqual({
      url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      peerId: expect.stringMatching(/^12D3KooW/),
      multiaddrs: [`/ip4/127.0.0.1/tcp/${new URL(url).port}/ws/p2p/${peerId}`],
      stunPort: Number(new URL(url).port),
    })
    expect(await describedAt(url)).toMatchObject({ peerId, stunPort })
    expect((await stat(join(dataDir, 'peer.key'))).isFile()).toBe(true)
    const space = await openTestSpace('cli', { nodes: [url] })
    await connected(await space.joinChat('lobby'))

    const peer = await barePeer(`/ip4/127.0.0.1/tcp/${new URL(url).port}/ws/p2p/${peerId}`)
    const [connection] = peer.getConnections()
    // Whoever is hung up on without a word gets an error with it.
    const goodbye = new Promise<{ error?: unknown }>((resolve) =>
      connection?.addEventListener('close', resolve, { once: true }),
    )
    const closed = once(child, 'close')
    child.kill(how)
    const [code, signal] = await closed
    expect({ code, signal }).toEqual({ code: 0, signal: null })
    expect((await goodbye).error).toBeUndefined()
  },
)

test('`ghostchat node` announces what it is told to, and tells clients of the servers it is given', async () => {
  const announced = ['/dns4/node.example/tcp/443/tls/ws', '/ip4/192.0.2.1/tcp/80/ws']
  const secret = join(await mkdtemp(join(tmpdir(), 'ghostchat-test-')), 'secret')
  atEnd(() => rm(dirname(secret), { recursive: true }))
  await writeFile(secret, 'between node and TURN\n')
  const { said } = await ghostchatNode(
    ...announced.flatMap((address) => ['--announce', address]),
    ...['--ice-server', 'stun:stun.example:3478', '--ice-server', 'turn:turn.example:3478'],
    ...['--turn-secret-file', secret, '--no-stun'],
  )
  const { url, peerId } = said
  const multiaddrs = announced.map((address) => `${address}/p2p/${peerId}`)
  expect(said).toEqual({ url, peerId, multiaddrs })
  const { time, iceServers, ...described } = await describedAt(url)
  expect(described).toEqual({ version: expect.any(String), peerId, multiaddrs, peers: [] })
  const [stun, turn] = iceServers as [object, { username: string; credential: string }]
  expect(stun).toEqual({ urls: 'stun:stun.example:3478' })
  const username = turn.username
  // coturn's `use-auth-secret`: until when it holds, signed with the secret, of which the end of its line is no part.
  const credential = createHmac('sha1', 'between node and TURN').update(username).digest('base64')
  expect(turn).toEqual({ urls: 'turn:turn.example:3478', username, credential })
  expect(Math.abs(Number.parseInt(username, 10) - Number(time) / 1000 - 3_600)).toBeLessThan(10)
})

test('`ghostchat node` shares rooms with its --peer, answers STUN at its --stun-port, and believes its proxy with --trust-proxy', async () => {
  const other = await startNode()
  const { said } = await ghostchatNode('--peer', other.url, '--stun-port', '0', '--trust-proxy')
  const { url } = said
  const stunPort = Number(said['stunPort'])
  expect(stunPort).not.toBe(Number(new URL(url).port))
  const { port, answer } = await ask({ address: '127.0.0.1', port: stunPort }, stunMessage({}))
  expect(readMappedAddress(answer)).toEqual({ ip: '127.0.0.1', port })
  const peers = async (): Promise<unknown> => (await describedAt(url))['peers']
  await expect.poll(peers, { timeout: 20_000 }).toEqual([`/ip4/127.0.0.1/tcp/${new URL(other.url).port}/ws`])
  // Of one address no more than 200 at once are answered.
  const askFor = async (forwarded: string): Promise<number> => {
    const headers = { 'x-forwarded-for': forwarded }
    return (await fetch(`${url}/routing/v1/peers/${other.peerId}`, { headers })).status
  }
  const numbers = Array.from({ length: 300 }, (_, number) => number)
  const statuses = await Promise.all(numbers.map((number) => askFor(`192.0.${number % 3}.${number % 100}`)))
  expect(new Set(statuses)).toEqual(new Set([200]))
})

test('`ghostchat diagnose` of a node that can be reached says that all is well, for people and as JSON: exit code 0', async () => {
  const { url, peerId, stunPort } = await startNode()
  const people = await run('diagnose', url)
  expect(people).toMatchObject({ code: 0, err: '' })
  expect(people.out).toContain(`node ${url}: connected\n`)
  expect(people.out).toMatch(/\nall is well\n$/)

  const { code, out, err } = await run('diagnose', '--json', url)
  expect({ code, err }).toEqual({ code: 0, err: '' })
  expect(out).toMatch(/^.+\n$/)
  expect(JSON.parse(out)).toMatchObject({
    ok: true,
    nodes: [{ name: url, state: 'connected', isRelay: true, peerId, latencyMs: expect.any(Number) }],
    direct: {
      isWanted: true,
      isAvailable: true,
      iceServers: [`stun:127.0.0.1:${stunPort}`],
      hasAnswer: true,
    },
    peers: [],
    problems: [],
  })
})

test('`ghostchat diagnose` of nodes of which one is out of reach says which and what to do: exit code 1', async () => {
  const { url } = await startNode()
  const { code, out, err } = await run('diagnose', '--json', url, 'http://127.0.0.1:1')
  expect({ code, err }).toEqual({ code: 1, err: '' })
  const { ok, nodes, problems } = JSON.parse(out) as Diagnosis
  expect(ok).toBe(true)
  expect(nodes.map(({ name, state }) => [name, state])).toEqual([
    [url, 'connected'],
    ['http://127.0.0.1:1', 'waiting'],
  ])
  expect(problems).toMatchObject([{ code: 'node-unreachable', advice: expect.any(String) }])
  expect(problems[0]?.message).toContain('http://127.0.0.1:1')
})

// The only one: of several STUN servers WebRTC in Node asks one, by chance.
test('`ghostchat diagnose --ice-server` asks that server', async () => {
  const { url } = await startNode({ stunPort: false })
  const server = await createStunServer({ host: '127.0.0.1', port: 0, logger: silentLogger })
  atEnd(() => server.stop())
  const { code, out } = await run('diagnose', '--ice-server', `stun:127.0.0.1:${server.port}`, url)
  expect(out).toContain(`servers: stun:127.0.0.1:${server.port}\n  they answer: yes\n`)
  expect(server.answered).toBeGreaterThan(0)
  expect(code).toBe(0)
})

test.each([
  [['node', '--port', 'eighty']],
  [['node', '--port', '70000']],
  [['node', '--host', 'example.com']],
  [['node', '--announce', 'http://node.example']],
  [['node', '--turn-secret-file', '/nowhere/secret']],
  [['node', '--ice-server', 'turn:turn.example:3478']],
  [['node', '--colour', 'blue']],
  [['node', 'now']],
  [['nod']],
  [[]],
])('wrong usage, ghostchat %j: exit code 2 and one clear line', async (args) => {
  const { code, out, err } = await run(...args)
  expect(code).toBe(2)
  expect(out).toBe('')
  expect(err).toMatch(/^ghostchat: .+\n$/)
})

test('help and version', async () => {
  expect(await run('--help')).toMatchObject({
    code: 0,
    out: expect.stringContaining('ghostchat <command>'),
    err: '',
  })
  expect(await run('node', '--help')).toMatchObject({
    code: 0,
    out: expect.stringContaining('--data-dir'),
    err: '',
  })
  expect(await run('--version')).toMatchObject({ code: 0, out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) })
})
