import { type ChildProcess, spawn } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { run } from '../../support/shell.ts'

/** The names of the laboratory's files, as a process in a namespace sees them: over those of the machine. */
const ENTER = [
  'mount --bind "$1" /etc/hosts',
  'mount --bind "$2" /etc/resolv.conf',
  'shift 2',
  'exec "$@"',
].join(' && ')

/** Where the processes of a namespace look names up, in place of the machine's own files. */
export interface NameFiles {
  hosts: string
  resolvConf: string
}

/** A network namespace: a machine of its own as far as networks go. */
export class Namespace {
  readonly name: string
  readonly #files: NameFiles

  private constructor(name: string, files: NameFiles) {
    this.name = name
    this.#files = files
  }

  /** Makes a namespace with a loopback interface and without IPv6, whose link-local addresses would be a second way. */
  static async create(name: string, files: NameFiles): Promise<Namespace> {
    await run('ip', ['netns', 'add', name])
    const namespace = new Namespace(name, files)
    await namespace.set({ 'ipv6/conf/all/disable_ipv6': 1, 'ipv6/conf/default/disable_ipv6': 1 })
    await namespace.ip('link set lo up')
    return namespace
  }

  /** Runs iproute2 commands, each without its leading `ip`. */
  async ip(...commands: string[]): Promise<void> {
    await run('ip', ['-n', this.name, '-batch', '-'], { input: `${commands.join('\n')}\n` })
  }

  /** Loads nftables rules. */
  async nft(rules: string): Promise<void> {
    await run('ip', ['netns', 'exec', this.name, 'nft', '-f', '-'], { input: rules })
  }

  /** Writes settings below `/proc/sys/net`. A kernel without one of them does not have what it switches either. */
  async set(values: Record<string, number>): Promise<void> {
    const lines = Object.entries(values).map(([path, value]) => {
      const file = `/proc/sys/net/${path}`
      return `[ ! -e ${file} ] || echo ${value} > ${file}`
    })
    await run('ip', ['netns', 'exec', this.name, 'sh', '-ec', lines.join('\n')])
  }

  /** Starts a process in it, which is asked to end when this one dies. */
  start(command: string, args: string[], options: { env?: NodeJS.ProcessEnv } = {}): ChildProcess {
    const { hosts, resolvConf } = this.#files
    const enter = ['ip', 'netns', 'exec', this.name, 'sh', '-c', ENTER, 'sh', hosts, resolvConf]
    return spawn('setpriv', ['--pdeathsig', 'TERM', ...enter, command, ...args], {
      env: { ...process.env, ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
  }
}

/** Where iproute2 keeps the namespaces it made, by their names. */
const REGISTRY = '/run/netns'

/** The names of all namespaces of this machine. */
export async function namespaceNames(): Promise<string[]> {
  return readdir(REGISTRY).catch(() => [])
}

/** Ends what still runs in a namespace and removes it. */
export async function removeNamespace(name: string): Promise<void> {
  const pids = await run('ip', ['netns', 'pids', name])
  for (const pid of pids.split('\n').filter((line) => line !== '')) {
    try {
      process.kill(Number(pid), 'SIGKILL')
    } catch {
      // It ended by itself meanwhile.
    }
  }
  await run('ip', ['netns', 'delete', name])
}
