import type { Connection } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { RendezvousClient } from '../../../src/discovery/rendezvous-client.ts'
import { GhostChatError } from '../../../src/errors.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { NOW, TOPIC } from '../../support/authors.ts'
import { FakeStream, prefixed } from '../support/fake-stream.ts'
import { InputReader, inputOf } from '../support/input.ts'
import { peer } from '../support/peers.ts'
import { rendezvousMessages } from '../support/rendezvous.ts'
import { promise, type Target } from '../target.ts'

const own = peer(0)
const known = [peer(1), peer(2)]
const PEERS_MAX = 12
const DAYS_3 = 72 * 3_600

/** What a rendezvous point answers to a client: a right length around anything, or a stream as it is. */
export const rendezvousClient: Target = {
  name: 'rendezvous-client',
  async run(input) {
    const { peerId, privateKey } = await own
    const reader = new InputReader(input)
    const pieceBytes = 1 + reader.byte() ** 2
    const [isRaw, asks] = [reader.below(4) === 0, reader.below(3)]
    const bytes = isRaw ? reader.rest() : prefixed(reader.pieces())
    const streams: FakeStream[] = []
    const newStream = async (): Promise<FakeStream> => {
      const stream = new FakeStream()
      streams.push(stream)
      void stream.receive(bytes, Math.max(pieceBytes, bytes.length >> 6))
      return stream
    }
    const connection = { remotePeer: (await peerOf(1)).peerId, newStream } as unknown as Connection
    const libp2p = { peerId, getMultiaddrs: () => [multiaddr('/ip4/192.0.2.1/tcp/1/ws')] } as never
    const clock = new ManualClock(NOW, { settle: async () => {} })
    const client = new RendezvousClient({ libp2p, privateKey, clock })
    try {
      if (asks === 0) {
        const ttlSeconds = await client.register(connection, { namespace: TOPIC })
        promise(
          ttlSeconds >= 60 && ttlSeconds <= DAYS_3,
          'nobody is made to come back all the time, or never',
        )
      } else if (asks === 1) await client.unregister(connection, { namespace: TOPIC })
      else await discover(client, connection)
    } catch (thrown) {
      if (!(thrown instanceof GhostChatError)) throw thrown
      promise(thrown.code === 'node-unreachable', 'only node-unreachable')
      promise(thrown.message.length < 1_000, 'an error has a short text')
    }
    await clock.advance(60_000)
    promise(clock.pending === 0, 'nothing is waited for any more')
  },
  seeds: async () => {
    const messages = await rendezvousMessages()
    const answers = messages.slice(9)
    return [
      ...[0, 2].flatMap((asks) => answers.map((message) => inputOf([20, 1, asks], [message]))),
      inputOf([20, 1, 1], []),
      ...answers.map((message) => Buffer.concat([Uint8Array.of(5, 0, 2), prefixed([message])])),
    ]
  },
  maxBytes: 8 * 1024,
  runs: 150_000,
}

async function discover(client: RendezvousClient, connection: Connection): Promise<void> {
  const { peers } = await client.discover(connection, { namespace: TOPIC, limit: PEERS_MAX })
  const signers = await Promise.all(known)
  promise(peers.length <= PEERS_MAX, 'there are no more than were asked for')
  for (const { peerId, addresses, ttlSeconds } of peers) {
    promise(
      signers.some((signer) => signer.peerId.toString() === peerId),
      'whoever is found has signed',
    )
    promise(ttlSeconds <= DAYS_3, 'a registration holds three days at the most')
    promise(addresses.length <= 8, 'a peer has 8 addresses at the most')
    promise(
      addresses.every((address) => address.toString().endsWith(`/p2p/${peerId}`)),
      'an address ends with its peer',
    )
  }
}

function peerOf(number: number) {
  return known[number] ?? own
}
