import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { GossipSub } from '@libp2p/gossipsub'
import type { Libp2p } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { describe, expect, it } from 'vitest'
import { Gate } from '../../src/gate/gate.ts'
import { Rates } from '../../src/gate/rates.ts'
import { createVerifier } from '../../src/identity/verifier.ts'
import { silentLogger } from '../../src/logger.ts'
import { AddressBook } from '../../src/network/address-book.ts'
import { Doorkeeper } from '../../src/network/doorkeeper.ts'
import { Gaps } from '../../src/room/gaps.ts'
import { Outbox } from '../../src/room/outbox.ts'
import { Roster } from '../../src/room/roster.ts'
import { Timeline } from '../../src/room/timeline.ts'
import { Typing } from '../../src/room/typing.ts'
import { toBase64url } from '../../src/wire/base64url.ts'
import type { SignedEvent } from '../../src/wire/event.ts'
import { eventId } from '../../src/wire/event-id.ts'
import { decodeFrame } from '../../src/wire/frame.ts'
import { assembleJwt, parseJwt, signingInput } from '../../src/wire/jwt.ts'
import { decodeNodeInfo } from '../../src/wire/node-info.ts'
import { decodeRendezvous } from '../../src/wire/rendezvous.ts'
import { decodeStunRequest } from '../../src/wire/stun.ts'
import { decodeSync } from '../../src/wire/sync.ts'
import { claimsBy, NOW, TOPIC, testAuthor, testPeerId, unsignedBy } from '../support/authors.ts'
import { HandClock } from '../support/hand-clock.ts'
import { runs } from '../support/runs.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** What may be more in use after many inputs than after a few: what the engine itself keeps and gives back late. */
const SLACK_BYTES = 2 * 1024 * 1024

const ada = testAuthor(1)
const clock = new HandClock()
const bytesOf = (number: number): Uint8Array => {
  const bytes = new Uint8Array(40)
  for (let at = 0; at < 40; at += 1) bytes[at] = (Math.imul(number + at, 0x9e3779b1) >>> 13) & 255
  return bytes
}
const jti = (number: number): string => {
  const bytes = new Uint8Array(16)
  new DataView(bytes.buffer).setInt32(0, number)
  return toBase64url(bytes)
}
const message = (number: number): SignedEvent<'message'> =>
  unsignedBy(
    ada,
    'message',
    { text: 'x' },
    { at: NOW + number, jti: jti(number), parents: [eventId(`${number}`)] },
  )

interface Thing {
  /** How many inputs fill it. */
  fill: number
  take(number: number): unknown
}

/** Everything that strangers feed, each with inputs of which no two are the same. */
const things: Record<string, () => Thing> = {
  'decoders of bytes': () => ({
    fill: 1_000,
    take(number) {
      const bytes = bytesOf(number)
      decodeFrame(bytes)
      decodeRendezvous(bytes)
      decodeStunRequest(bytes)
      decodeSync(Uint8Array.from([2, ...bytes]))
    },
  }),
  'decoders of texts': () => ({
    fill: 1_000,
    take(number) {
      parseJwt(
        assembleJwt(
          signingInput(claimsBy(ada, 'typing', { state: 'stop' }, { jti: jti(number) })),
          bytesOf(1),
        ),
      )
      decodeNodeInfo(`{"version":"1","peerId":"${number}","multiaddrs":[],"time":${number}}`)
    },
  }),
  'the gate and what it has seen': () => {
    const gate = new Gate({ topic: TOPIC, clock, verifier: { verify: async () => true } })
    return {
      fill: 17_000,
      async take(number) {
        const claims = claimsBy(ada, 'leave', { peer: testPeerId(1) }, { jti: jti(number) })
        const jwt = assembleJwt(signingInput(claims), new Uint8Array(64))
        expect((await gate.admit(jwt, 'live')).verdict).toBe('accept')
      },
    }
  },
  rates: () => {
    const rates = new Rates({ clock, author: { burst: 2, perSecond: 1 }, maxKeys: 2_000 })
    return {
      fill: 3_000,
      take(number) {
        for (const isCarrier of [true, false]) {
          const source = { peerId: `peer ${number}`, isCarrier }
          rates.bring(source, `topic ${number}`, { events: 5, bytes: 5 })
          rates.introduce(source, `did ${number}`)
        }
        rates.write(`did ${number}`, 'topic')
      },
    }
  },
  'keys of authors': () => {
    const verifier = createVerifier({ maxKeys: 50 })
    return {
      fill: 200,
      take: (number) => verifier.verify(`did:key:z6Mk${number}`, new Uint8Array(1), new Uint8Array(64)),
    }
  },
  'a timeline of messages and changes, with parents that nobody has': () => {
    const timeline = new Timeline()
    return {
      fill: 1_500,
      take(number) {
        const event = message(number)
        timeline.add(event, NOW)
        const options = { at: NOW + number, jti: jti(-number) }
        timeline.add(unsignedBy(ada, 'delete', { target: eventId(`${number}`) }, options), NOW)
        if (number % 3 === 0)
          timeline.add(
            unsignedBy(ada, 'delete', { target: event.id }, { ...options, at: NOW + number + 1 }),
            NOW,
          )
      },
    }
  },
  'a roster': () => {
    const roster = new Roster(200)
    return {
      fill: 500,
      take(number) {
        const body = { peer: `peer ${number}`, data: {} }
        roster.apply(unsignedBy(ada, 'presence', body, { at: NOW + number, jti: jti(number) }))
        roster.lose(`peer ${number - 1}`, NOW)
      },
    }
  },
  gaps: () => {
    const gaps = new Gaps(new Timeline(), () => ['a', 'b'])
    return {
      fill: 9_000,
      take(number) {
        gaps.note(message(number), ['a', `peer ${number}`])
        gaps.without([eventId(`other ${number}`)], 'b')
        if (number % 500 === 0) gaps.outside(gaps.open())
      },
    }
  },
  'an outbox that nobody acknowledges anything to': () => {
    const outbox = new Outbox({
      clock,
      publish: async () => 1,
      onFate: () => {},
      isOutdone: () => false,
      hasNeighbours: () => true,
      pace: () => 0,
      isAlone: () => false,
    })
    return {
      fill: 1_500,
      async take(number) {
        await (await outbox.reserve()).fill(message(number))
      },
    }
  },
  'who types': () => {
    const own = new HandClock()
    const typing = new Typing({ clock: own, send: () => {}, onChange: () => {} })
    return {
      fill: 500,
      take(number) {
        own.pass(100)
        typing.ended(`did ${number}`, own.now())
        typing.began(`did ${number}`, own.now() + 1, own.now() + 6_000)
      },
    }
  },
  'an address book': () => {
    const book = new AddressBook(clock)
    const addresses = [multiaddr('/ip4/198.51.100.1/tcp/1/ws')]
    return {
      fill: 500,
      take: (number) => book.add('topic', [{ peerId: `peer ${number}`, addresses }], number % 2 === 0),
    }
  },
  'a doorkeeper': () => {
    const own = new HandClock()
    const doorkeeper = new Doorkeeper({
      clock: own,
      libp2p: { getConnections: () => [] } as unknown as Libp2p,
      pubsub: { score: { score: () => -1_000 } } as unknown as GossipSub,
      logger: silentLogger,
      isNamed: () => false,
      addressOf: (peerId) => `address of ${peerId}`,
      priceOf: () => 1,
    })
    return {
      fill: 11_000,
      take(number) {
        doorkeeper.offended(`peer ${number}`, number % 2 === 0 ? 'reject' : 'excess')
        if (number % 100 === 0) own.pass(250)
      },
    }
  },
}

describe('memory', () => {
  it.each(Object.keys(things))(
    'does not grow with what strangers send: %s',
    async (name) => {
      const thing = things[name]?.()
      if (thing === undefined) throw new Error(`nothing is called ${name}`)
      let number = 0
      const feed = async (count: number): Promise<number> => {
        for (const end = number + count; number < end; number += 1) await thing.take(number)
        collect()
        return process.memoryUsage().heapUsed
      }
      await feed(2 * thing.fill)
      const before = await feed(thing.fill)
      const after = await feed(runs(3 * thing.fill).numRuns)
      expect(after - before).toBeLessThan(SLACK_BYTES)
      // Some take seconds, and a machine that is busy takes longer.
    },
    300_000,
  )
})
