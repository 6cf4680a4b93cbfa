import { run } from '../../e2e/support/shell.ts'

/** Made for documentation (RFC 5737): nothing is there. */
const ADDRESSES = ['203.0.113.1', '203.0.113.2'] as const

/** One of two networks. */
export interface Half {
  /** The name of its network namespace. */
  namespace: string
  /** Its only address. */
  address: string
}

/**
 * Two networks, each with all its processes on one machine, and a bridge between
 * them that can be cut: what is sent is then gone, and nobody is told.
 */
export class Halves {
  readonly both: readonly [Half, Half]
  readonly #bridge: string

  private constructor(name: string) {
    this.#bridge = `${name}-bridge`
    this.both = [
      { namespace: `${name}-0`, address: ADDRESSES[0] },
      { namespace: `${name}-1`, address: ADDRESSES[1] },
    ]
  }

  /** @throws where network namespaces cannot be made: without Linux, root or iproute2 */
  static async create(): Promise<Halves> {
    const halves = new Halves(`ghostchat-chaos-${process.pid}`)
    try {
      await halves.#build()
    } catch (thrown) {
      await halves.close()
      throw thrown
    }
    return halves
  }

  async #build(): Promise<void> {
    await run('ip', ['netns', 'add', this.#bridge])
    await this.#atBridge('link add name bridge type bridge', 'link set bridge up')
    for (const [index, { namespace, address }] of this.both.entries()) {
      await run('ip', ['netns', 'add', namespace])
      await this.#atBridge(
        `link add name half${index} type veth peer name eth0 netns ${namespace}`,
        `link set half${index} master bridge up`,
      )
      await batch(namespace, 'link set lo up', `address add ${address}/24 dev eth0`, 'link set eth0 up')
    }
  }

  /** Nothing passes from now on. */
  cut(): Promise<void> {
    return this.#atBridge('link set half1 nomaster')
  }

  heal(): Promise<void> {
    return this.#atBridge('link set half1 master bridge')
  }

  /** Removes them. Their processes have to be ended before. */
  async close(): Promise<void> {
    for (const name of [...this.both.map(({ namespace }) => namespace), this.#bridge])
      await run('ip', ['netns', 'delete', name]).catch(() => {})
  }

  #atBridge(...commands: string[]): Promise<void> {
    return batch(this.#bridge, ...commands)
  }
}

async function batch(namespace: string, ...commands: string[]): Promise<void> {
  await run('ip', ['-n', namespace, '-batch', '-'], { input: `${commands.join('\n')}\n` })
}

/** Why there can be no two networks here, or `undefined` where there can be. */
export async function whyNoHalves(): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'it needs Linux'
  if (process.getuid?.() !== 0) return 'it needs root, to make network namespaces'
  try {
    await (await Halves.create()).close()
    return undefined
  } catch (thrown) {
    return `network namespaces cannot be made here: ${String(thrown)}`
  }
}
