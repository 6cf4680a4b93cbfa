import { checkLibp2p } from './borrowed-libp2p.ts'
import { Client, type ClientOptions, type ClientUser } from './client.ts'
import { diagnose } from './diagnose.ts'
import type { DiagnosedDevice, Diagnosis } from './diagnosis.ts'
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
  for (;;) {
    await closings.get(checked)?.catch(() => {})
    const opening = adopted.get(checked) ?? Client.adopt(checked, options)
    adopted.set(checked, opening)
    const client = await opening.catch((thrown: unknown) => {
      if (adopted.get(checked) === opening) adopted.delete(checked)
      throw thrown
    })
    // Nothing may come between this look and the use: the last user may be closing it.
    if (adopted.get(checked) === opening) {
      return use(client, user, () => {
        adopted.delete(checked)
        const closing = client.network.close()
        closings.set(checked, closing)
        return closing
      })
    }
  }
}

/** Adds a user in this very step. */
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
