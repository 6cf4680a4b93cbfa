import { silentLogger } from '../../../src/logger.ts'
import { Registry } from '../../../src/node/rendezvous/registry.ts'
import { RendezvousServer } from '../../../src/node/rendezvous/rendezvous-server.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { decodeRendezvous, encodeRendezvous } from '../../../src/wire/rendezvous.ts'
import { NOW, TOPIC, testPeerId } from '../../support/authors.ts'
import { registered } from '../../support/registry.ts'
import { FakeLibp2p } from '../support/fake-libp2p.ts'
import { FakeStream, prefixed } from '../support/fake-stream.ts'
import { areEqual, InputReader, inputOf } from '../support/input.ts'
import { peer } from '../support/peers.ts'
import { rendezvousMessages } from '../support/rendezvous.ts'
import { stillRandom } from '../support/still-random.ts'
import { promise, type Target } from '../target.ts'

const OTHERS = 6
const limits = { maxPerPeer: 3, maxPerAddress: 4, maxPerNamespace: 7, maxTotal: 9, maxAnswerBytes: 700 }
const keys = [peer(0), peer(1)] as const

async function point(clock: ManualClock) {
  const [own, client] = [(await keys[0]).peerId, (await keys[1]).peerId]
  const libp2p = new FakeLibp2p(own, client)
  const registry = new Registry({ clock, random: stillRandom, limits })
  for (let number = 0; number < OTHERS; number += 1) {
    registered(registry, testPeerId(number), { namespace: TOPIC, ip: `192.0.2.${number}` })
  }
  const remoteIpOf = () => '198.51.100.1'
  const server = new RendezvousServer({
    libp2p: libp2p.asLibp2p,
    registry,
    clock,
    logger: silentLogger,
    remoteIpOf,
  })
  await server.start()
  return { libp2p, registry, server, client: client.toString() }
}

const veteranClock = new ManualClock(NOW, { settle: async () => {} })
/** It has served all inputs before this one. */
const veteran = point(veteranClock)

/** A rendezvous point, and a stream of requests: right lengths around any messages, or a stream as it is. */
export const rendezvousPoint: Target = {
  name: 'rendezvous-point',
  async run(input) {
    const reader = new InputReader(input)
    const pieceBytes = 1 + reader.byte() ** 2
    const isRaw = reader.below(4) === 0
    const bytes = isRaw ? reader.rest() : prefixed(reader.pieces())
    const clock = new ManualClock(NOW, { settle: async () => {} })
    const fresh = await point(clock)
    const answers = await ask(fresh.libp2p, bytes, pieceBytes)
    promise(fresh.registry.size <= limits.maxTotal, 'the registry is as large as it may be')
    const names = fresh.registry.namespacesOf(fresh.client)
    promise(names.length <= limits.maxPerPeer, 'a peer is in as many namespaces as it may be')
    for (const answer of answers) checkAnswer(answer)
    await fresh.server.stop()
    await clock.advance(73 * 3_600_000)
    promise(fresh.registry.size === 0, 'nothing stays for ever')
    promise(clock.pending === 0, 'nothing is waited for any more')
    await ask((await veteran).libp2p, bytes, pieceBytes)
    await veteranClock.advance(100)
  },
  seeds: async () => {
    const messages = await rendezvousMessages()
    const requests = messages.slice(0, 9)
    return [
      ...requests.map((message) => inputOf([20, 1], [message])),
      inputOf([20, 1], requests),
      inputOf([3, 2], [...requests.slice(0, 2), ...requests.slice(5)]),
      Buffer.concat([Uint8Array.of(9, 0), prefixed(requests)]),
      inputOf([20, 1], messages),
      inputOf([20, 1], [await readOn()]),
    ]
  },
  maxBytes: 8 * 1024,
  runs: 100_000,
}

/** The question of a client that comes back for more: each new server has the same keys. */
async function readOn(): Promise<Uint8Array> {
  const { registry } = await point(new ManualClock(NOW))
  const found = registry.discover({ namespace: TOPIC, limit: 2 })
  if (found.status !== 'OK') throw new Error(found.text)
  return encodeRendezvous({ type: 'discover', namespace: TOPIC, limit: 2, cookie: found.cookie })
}

async function ask(libp2p: FakeLibp2p, bytes: Uint8Array, pieceBytes: number): Promise<Uint8Array[]> {
  const stream = new FakeStream()
  const served = libp2p.open(stream)
  await stream.receive(bytes, Math.max(pieceBytes, bytes.length >> 6))
  await served
  return stream.sent
}

/** Each answer goes out as one piece: its length, and the message. */
function checkAnswer(sent: Uint8Array): void {
  const digits = 1 + sent.findIndex((byte) => byte < 128)
  const message = decodeRendezvous(sent.subarray(digits))
  promise(message !== undefined, 'an answer is a message')
  promise(areEqual(prefixed([sent.subarray(digits)]), sent), 'an answer has its length before it')
  promise(message.type === 'register-response' || message.type === 'discover-response', 'an answer is one')
  promise(message.status !== 'E_INTERNAL_ERROR', 'nothing goes wrong over a request')
  promise(sent.length <= limits.maxAnswerBytes + 256, 'an answer is as long as it may be')
}
