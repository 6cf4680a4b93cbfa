import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { atEnd, openTestSpace } from '../support/resources.ts'
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

test('`ghostchat node --json` says where it listens on one line, serves, and ends with SIGTERM', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'ghostchat-test-'))
  atEnd(() => rm(dataDir, { recursive: true }))
  const child = ghostchat('node', '--port', '0', '--host', '127.0.0.1', '--data-dir', dataDir, '--json')
  const lines = createInterface({ input: child.stdout ?? process.stdin })
  const [line] = (await once(lines, 'line')) as [string]
  const { url, multiaddrs, peerId } = JSON.parse(line)
  expect(multiaddrs[0]).toContain(peerId)
  const space = await openTestSpace('cli', { nodes: [url] })
  await connected(await space.joinChat('lobby'))

  child.kill('SIGTERM')
  const [code, signal] = await once(child, 'close')
  expect({ code, signal }).toEqual({ code: 0, signal: null })
})

test.each([
  [['node', '--port', 'eighty']],
  [['node', '--port', '70000']],
  [['node', '--host', 'example.com']],
  [['node', '--announce', 'http://node.example']],
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
