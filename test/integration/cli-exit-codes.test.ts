import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

function ghostchat(...args: string[]): Promise<{ code: unknown; out: string; err: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...args], (error, out, err) =>
      resolve({ code: error === null ? 0 : (error.signal ?? error.code), out, err }),
    )
  })
}

it.each([
  [['node', '--port', '0', '--host', '127.0.0.1', '--no-stun', '--peer', 'notaurl'], 'notaurl'],
  [['diagnose', 'notaurl'], 'notaurl'],
  [['diagnose', 'ftp://node.example'], 'ftp://node.example'],
  [['diagnose', '/ip4/192.0.2.1/tcp/1'], '/ip4/192.0.2.1/tcp/1'],
  [['diagnose'], 'a node is missing'],
])(
  'a node that is no address, ghostchat %j: exit code 2 and one clear line',
  async (args, what) => {
    const { code, out, err } = await ghostchat(...args)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toMatch(/^ghostchat: .+ \(see ghostchat --help\)\n$/)
    expect(err).toContain(what)
  },
  30_000,
)
