import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildLabPage } from './build-page.ts'
import { Host } from './host.ts'
import { Namespace, namespaceNames, removeNamespace } from './namespace.ts'
import { isLeftover, runName } from './run-name.ts'
import { Services } from './services.ts'
import { buildNetwork, type HostName, type MachineName } from './topology.ts'

/**
 * An internet of our own in network namespaces: machines, routers with NATs of
 * different kinds, servers, browsers. No cable leads out of it.
 */
export class Laboratory {
  readonly #directory: string
  readonly #machines: Map<MachineName, Namespace>
  readonly #hosts = new Map<HostName, Host>()
  /** The servers of the test that runs. */
  services: Services

  private constructor(directory: string, machines: Map<MachineName, Namespace>) {
    this.#directory = directory
    this.#machines = machines
    this.services = this.#newServices()
  }

  /** Builds it, after removing what runs left that were killed. */
  static async build(): Promise<Laboratory> {
    await Laboratory.removeLeftovers()
    const directory = join(tmpdir(), runName())
    await mkdir(join(directory, 'tmp'), { recursive: true })
    const files = { hosts: join(directory, 'hosts'), resolvConf: join(directory, 'resolv.conf') }
    await writeFile(files.hosts, '127.0.0.1 localhost\n')
    // Each machine with browsers has a name server of its own.
    await writeFile(files.resolvConf, 'nameserver 127.0.0.1\n')
    try {
      await buildLabPage(join(directory, 'page'))
      const machines = await buildNetwork((name) => Namespace.create(`${runName()}-${name}`, files))
      return new Laboratory(directory, machines)
    } catch (thrown) {
      await removeOwn()
      throw thrown
    }
  }

  /** Removes what runs left that were killed. */
  static removeLeftovers(): Promise<void> {
    return removeWhere(isLeftover)
  }

  /** A machine with browsers. They are started when they are first used, and stay for the next test. */
  host(name: HostName): Host {
    const known = this.#hosts.get(name)
    if (known !== undefined) return known
    const host = new Host(name, this.#machine(name), {
      page: join(this.#directory, 'page'),
      tmp: join(this.#directory, 'tmp'),
    })
    this.#hosts.set(name, host)
    return host
  }

  /** Ends what a test started: its pages and its servers. Answers what the pages wrote to their consoles. */
  async clear(): Promise<string[]> {
    const { services } = this
    this.services = this.#newServices()
    const logs = await Promise.all([...this.#hosts.values()].map((host) => host.clear()))
    return [...logs.flat(), ...(await services.stop())]
  }

  /** Ends everything and removes every trace of it. */
  async close(): Promise<void> {
    await Promise.allSettled([...this.#hosts.values()].map((host) => host.close()))
    await this.services.stop()
    await removeOwn()
  }

  #newServices(): Services {
    return new Services((name) => this.#machine(name), this.#directory)
  }

  #machine(name: MachineName): Namespace {
    const machine = this.#machines.get(name)
    if (machine === undefined) throw new Error(`the laboratory has no machine ${name}`)
    return machine
  }
}

function removeOwn(): Promise<void> {
  return removeWhere((name) => name.startsWith(runName()))
}

/** Removes namespaces and temporary folders by their names. */
async function removeWhere(matches: (name: string) => boolean): Promise<void> {
  for (const name of (await namespaceNames()).filter(matches)) await removeNamespace(name)
  for (const name of (await readdir(tmpdir())).filter(matches)) {
    await rm(join(tmpdir(), name), { recursive: true, force: true, maxRetries: 5 })
  }
}
