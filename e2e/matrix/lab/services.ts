import type { ChildProcess } from 'node:child_process'
import { createHmac, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { collect, run, untilOutput } from '../../support/shell.ts'
import type { Namespace } from './namespace.ts'
import { nginxConfig } from './nginx-config.ts'
import { SERVER, TURN } from './topology.ts'

const CLI = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url))
const NODE_PORT = 8787
const TURN_PORT = 3478

/** A GhostNode in a process of its own. */
export interface NodeProcess {
  /** What `openSpace` takes as an entry of `nodes`. */
  url: string
  /** Ends it, as an operator would. */
  stop(): Promise<void>
}

/** coturn, which answers STUN to everybody and relays for those who have its credentials. */
export interface TurnServer {
  stunUrl: string
  turnUrl: string
  /** The file with the secret it shares with those who hand out credentials. */
  secretFile: string
  /** Credentials for an hour (draft-uberti-behave-turn-rest-00). */
  credentials(): { username: string; credential: string }
}

/** The servers of one test, on the public machines. */
export class Services {
  readonly #machine: (name: 'server' | 'turn') => Namespace
  readonly #directory: string
  readonly #running = new Map<ChildProcess, { name: string; output: () => string }>()

  constructor(machine: (name: 'server' | 'turn') => Namespace, directory: string) {
    this.#machine = machine
    this.#directory = directory
  }

  /** Starts a GhostNode of the built package on the machine `server`. */
  async node(args: string[] = []): Promise<NodeProcess> {
    const dataDir = await this.#folder('node')
    const child = this.#start('node', 'server', process.execPath, [
      ...[CLI, 'node', '--json', '--port', String(NODE_PORT), '--data-dir', dataDir],
      ...args,
    ])
    await untilOutput(child, /^\{.*"peerId".*\}$/m)
    return { url: `http://${SERVER}:${NODE_PORT}`, stop: () => this.#end(child) }
  }

  /** Starts coturn on the machine `turn`. */
  async turn(): Promise<TurnServer> {
    const folder = await this.#folder('turn')
    const secret = randomBytes(24).toString('base64url')
    const secretFile = join(folder, 'secret')
    await writeFile(secretFile, `${secret}\n`, { mode: 0o600 })
    const child = this.#start('turn', 'turn', 'turnserver', [
      '-n',
      `--listening-ip=${TURN}`,
      `--listening-port=${TURN_PORT}`,
      `--relay-ip=${TURN}`,
      '--use-auth-secret',
      `--static-auth-secret=${secret}`,
      '--realm=ghost.test',
      '--fingerprint',
      '--no-tls',
      '--no-dtls',
      '--no-cli',
      '--no-multicast-peers',
      '--log-file=stdout',
      '--verbose',
      '--simple-log',
      `--pidfile=${join(folder, 'pid')}`,
      `--userdb=${join(folder, 'db')}`,
    ])
    await untilOutput(child, /UDP listener opened on/i)
    return {
      stunUrl: `stun:${TURN}:${TURN_PORT}`,
      turnUrl: `turn:${TURN}:${TURN_PORT}?transport=udp`,
      secretFile,
      credentials: () => {
        const username = String(Math.floor(Date.now() / 1000) + 3600)
        const credential = createHmac('sha1', secret).update(username).digest('base64')
        return { username, credential }
      },
    }
  }

  /** Starts nginx on the machine `server`: TLS in front of a node for one name, and of the page for another. */
  async nginx(names: { node: string; app: string }): Promise<void> {
    const folder = await this.#folder('nginx')
    const [certificate, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
    await run('openssl', [
      ...[
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-days',
        '2',
      ],
      ...['-subj', '/CN=ghost.test', '-addext', `subjectAltName=DNS:${names.node},DNS:${names.app}`],
      ...['-keyout', key, '-out', certificate],
    ])
    const config = join(folder, 'nginx.conf')
    const page = join(this.#directory, 'page')
    const upstream = `127.0.0.1:${NODE_PORT}`
    await writeFile(config, nginxConfig({ folder, certificate, key, page, upstream, names }))
    const child = this.#start('nginx', 'server', 'nginx', ['-c', config, '-p', folder, '-e', 'stderr'])
    await untilOutput(child, /start worker processes/)
  }

  /** Ends all of them. Answers what they wrote. */
  async stop(): Promise<string[]> {
    const logs = [...this.#running.values()].flatMap(({ name, output }) =>
      output()
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => `${name}: ${line}`),
    )
    await Promise.all([...this.#running.keys()].map((child) => this.#end(child)))
    return logs
  }

  #start(name: string, machine: 'server' | 'turn', command: string, args: string[]): ChildProcess {
    const child = this.#machine(machine).start(command, args)
    this.#running.set(child, { name, output: collect(child) })
    return child
  }

  async #end(child: ChildProcess): Promise<void> {
    if (!this.#running.delete(child) || child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    // Not SIGKILL: nginx has a child of its own to end.
    child.kill('SIGTERM')
    await exited
  }

  async #folder(name: string): Promise<string> {
    await mkdir(this.#directory, { recursive: true })
    return mkdtemp(join(this.#directory, `${name}-`))
  }
}
