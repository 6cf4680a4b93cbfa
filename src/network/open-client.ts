import { checkLibp2p } from './borrowed-libp2p.ts'
import { Client, type ClientOptions, type ClientUser } from './client.ts'
import { diagnose } from './diagnose.ts'
import type { DiagnosedDevice, Diagnosis } from './diagnosis.ts'
import type { ChatLibp2p } from './libp2p-network.ts'
import type { Channel, Network } from './network.ts'

/** A client as one space has it. */
export interface OpenClient {
  readonly network: Network
  wake(): void
  diagnose(devices: readonly DiagnosedDevice[], signal: AbortSignal): Promise<Diagnosis>
}

/** By libp2p node of a dapp: the client on it, shared by the spaces that use it. */
const adopted = new WeakMap<object, Promise<Client>>()
/** By libp2p node of a dapp: the end of a client that is being closed. */
const closings = new WeakMap<object, Promise<void>>()

/**
 * The network of a space: on a libp2p node of its own, or on the dapp's, which
 * several spaces may share.
 *
 * @throws `invalid-node`, `invalid-option` (the libp2p node lacks something)
 */
export async function openClient(
  user: ClientUser & { libp2p: unknown },
  options: ClientOptions,
): Promise<OpenClient> {
  const { libp2p } = user
  if (libp2p === undefined) {
    const client = await Client.create(options)
    return use(client, user, () => client.network.close())
  }
  const checked = await checkLibp2p(libp2p, user.nodes.length > 0)
  const client = await share(checked, options)
  return use(client, user, () => {
    adopted.delete(checked)
    const closing = client.network.close()
    closings.set(checked, closing)
    return closing
  })
}

/** The client on a libp2p node: the one there is, as long as it is not being closed. */
async function share(libp2p: ChatLibp2p, options: ClientOptions): Promise<Client> {
  for (;;) {
    await closings.get(libp2p)?.catch(() => {})
    const opening = adopted.get(libp2p) ?? Client.adopt(libp2p, options)
    adopted.set(libp2p, opening)
    try {
      const client = await opening
      if (adopted.get(libp2p) === opening) return client
    } catch (thrown) {
      adopted.delete(libp2p)
      throw thrown
    }
  }
}

async function use(client: Client, user: ClientUser, closeClient: () => Promise<void>): Promise<OpenClient> {
  const { network } = client
  const channels = new Set<Channel>()
  const close = async (): Promise<void> => {
    for (const channel of channels) channel.leave()
    if (client.removeUser(user)) await closeClient()
  }
  try {
    client.addUser(user)
  } catch (thrown) {
    await close()
    throw thrown
  }
  let closing: Promise<void> | undefined
  return {
    wake: () => client.wake(),
    diagnose: (devices, signal) => diagnose(client, devices, signal),
    network: {
      peerId: network.peerId,
      join(topic, handler) {
        const channel: Channel = network.join(topic, handler, () => channels.delete(channel))
        channels.add(channel)
        return channel
      },
      close: () => (closing ??= close()),
    },
  }
}
