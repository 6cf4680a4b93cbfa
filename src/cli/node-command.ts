import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createGhostNode, type GhostNode, type GhostNodeOptions } from '../node/index.ts'
import { UsageError } from './usage-error.ts'

const HELP = `Usage: ghostchat node [options]

Runs a GhostNode until it gets SIGINT or SIGTERM.

Options:
  --port N           port for HTTP and WebSockets, 0 for a free one (default 8787)
  --host IP          address to listen at (default 0.0.0.0)
  --data-dir PATH    where the node keeps its key (default ~/.ghostchat-node)
  --announce ADDR    multiaddr to announce; may be given several times
  --peer NODE        URL or multiaddr of another GhostNode to share rooms with; may be given several times
  --stun-port N      UDP port for STUN (default: the number of --port); --no-stun does without
  --ice-server URL   stun: or turn: server to tell clients of; may be given several times
  --turn-secret-file PATH
                     file with the secret shared with the TURN servers
  --trust-proxy      believe the last entry of X-Forwarded-For
  --json             print one line of JSON with url, peerId, multiaddrs and stunPort when it listens
  --help             this text
`

/** `ghostchat node`: runs a node until a signal comes. */
export async function runNode(args: string[]): Promise<void> {
  const values = parse(args)
  if (values.help) return void process.stdout.write(HELP)
  const node = await createGhostNode(toOptions(values))
  const stopped = untilSignal()
  process.stdout.write(values.json ? `${JSON.stringify(summary(node))}\n` : describeNode(node))
  await stopped
  await node.stop()
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      strict: true,
      allowPositionals: false,
      options: {
        port: { type: 'string' },
        host: { type: 'string' },
        'data-dir': { type: 'string' },
        announce: { type: 'string', multiple: true },
        peer: { type: 'string', multiple: true },
        'stun-port': { type: 'string' },
        'no-stun': { type: 'boolean', default: false },
        'ice-server': { type: 'string', multiple: true },
        'turn-secret-file': { type: 'string' },
        'trust-proxy': { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values
  } catch (thrown) {
    const [line = ''] = thrown instanceof Error ? thrown.message.split('\n') : []
    throw new UsageError(line)
  }
}

function toOptions(values: ReturnType<typeof parse>): GhostNodeOptions {
  return {
    ...(values.port !== undefined && { port: toNumber(values.port) }),
    ...(values['stun-port'] !== undefined && { stunPort: toNumber(values['stun-port']) }),
    ...(values['no-stun'] && { stunPort: false as const }),
    ...(values.peer !== undefined && { peers: values.peer }),
    ...(values['ice-server'] !== undefined && { iceServers: values['ice-server'] }),
    ...(values['turn-secret-file'] !== undefined && { turnSecret: readSecret(values['turn-secret-file']) }),
    ...(values.host !== undefined && { host: values.host }),
    ...(values.announce !== undefined && { announce: values.announce }),
    dataDir: values['data-dir'] ?? join(homedir(), '.ghostchat-node'),
    trustProxy: values['trust-proxy'],
  }
}

function toNumber(text: string): number {
  return /^\d+$/.test(text) ? Number(text) : Number.NaN
}

function readSecret(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (thrown) {
    throw new UsageError(`--turn-secret-file: ${thrown instanceof Error ? thrown.message : String(thrown)}`)
  }
}

function summary({ url, peerId, multiaddrs, stunPort }: GhostNode): Omit<GhostNode, 'stop'> {
  return { url, peerId, multiaddrs, stunPort }
}

function describeNode({ url, multiaddrs }: GhostNode): string {
  const addresses = multiaddrs.map((address) => `  ${address}\n`).join('')
  return `GhostNode listens at ${url}\n${addresses}Use it with openSpace(name, { nodes: ['${url}'] }). Ctrl+C stops it.\n`
}

function untilSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
  })
}
