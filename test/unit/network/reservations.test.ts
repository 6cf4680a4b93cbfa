import type { Connection, Listener } from '@libp2p/interface'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { ManualClock, settle } from 'ghostchat/testing'
import { beforeEach, describe, expect, it } from 'vitest'
import { Reservations } from '../../../src/network/reservations.ts'
import { NOW } from '../../support/authors.ts'
import { realPeerId } from '../../support/routing.ts'
import { settles, until } from '../../support/world.ts'

const [first, second] = [realPeerId(1), realPeerId(2)]

/** A listener that a transport manager keeps for good, as libp2p's does. */
interface FakeListener {
  number: number
  listen(address: Multiaddr): Promise<void>
}

let clock: ManualClock
let listeners: FakeListener[]
/** By the number of the listener: where it listened. */
let attempts: [listener: number, address: string][]
/** What comes of an attempt. */
let answer: (address: string) => Promise<void>
let reservations: Reservations

beforeEach(() => {
  clock = new ManualClock(NOW)
  // Somebody else's: it is none of ours.
  listeners = [{ number: 0, listen: async () => Promise.reject(new Error('not yours')) }]
  attempts = []
  answer = async () => {}
  reservations = new Reservations(
    {
      transportManager: {
        getListeners: () => [...listeners] as unknown as Listener[],
        async listen([address]: Multiaddr[]) {
          const number = listeners.length
          const listener: FakeListener = {
            number,
            listen(address) {
              attempts.push([number, address.toString()])
              return answer(address.toString())
            },
          }
          listeners.push(listener)
          await listener.listen(address ?? multiaddr('/'))
        },
      },
    },
    { clock },
  )
})

function connectionTo(peerId: string, port = 1): Connection & { status: string } {
  const remoteAddr = multiaddr(`/ip4/192.0.2.1/tcp/${port}/ws/p2p/${peerId}`)
  return { status: 'open', remotePeer: peerId, remoteAddr } as unknown as Connection & { status: string }
}

const circuit = (peerId: string, port = 1): string =>
  `/ip4/192.0.2.1/tcp/${port}/ws/p2p/${peerId}/p2p-circuit`

/** Attempts that end only when they are told to. */
function pending(): { resolve: () => void; reject: () => void }[] {
  const ends: { resolve: () => void; reject: () => void }[] = []
  answer = () =>
    new Promise((resolve, reject) => ends.push({ resolve, reject: () => reject(new Error('full')) }))
  return ends
}

describe('reservations', () => {
  it('are made at each node, each with a listener of its own', async () => {
    await Promise.all([first, second].map((peerId) => reservations.reserveAt(connectionTo(peerId))))
    expect(attempts).toEqual([
      [1, circuit(first)],
      [2, circuit(second)],
    ])
    expect(clock.pending).toBe(0)
  })

  it('use the listener of a node again for the next connection to it', async () => {
    await reservations.reserveAt(connectionTo(first))
    await reservations.reserveAt(connectionTo(second))
    await reservations.reserveAt(connectionTo(first, 2))
    expect(attempts.slice(2)).toEqual([[1, circuit(first, 2)]])
    expect(listeners).toHaveLength(3)
  })

  it('use it again although its first attempt failed', async () => {
    answer = async () => Promise.reject(new Error('full'))
    await reservations.reserveAt(connectionTo(first))
    answer = async () => {}
    await reservations.reserveAt(connectionTo(first, 2))
    expect(attempts).toEqual([
      [1, circuit(first)],
      [1, circuit(first, 2)],
    ])
    expect(listeners).toHaveLength(2)
  })

  it('are made one after the other, whatever becomes of the one before', async () => {
    const ends = pending()
    const all = [first, second].map((peerId) => reservations.reserveAt(connectionTo(peerId)))
    const last = reservations.reserveAt(connectionTo(first, 2))
    expect(await settles(all[0] ?? last)).toBe(false)
    expect(attempts).toHaveLength(1)
    ends[0]?.reject()
    await all[0]
    await until(() => attempts.length === 2)
    expect(await settles(last)).toBe(false)
    expect(attempts).toHaveLength(2)
    ends[1]?.resolve()
    await until(() => attempts.length === 3)
    ends[2]?.resolve()
    await Promise.all([...all, last])
    expect(attempts.map(([listener]) => listener)).toEqual([1, 2, 1])
  })

  it('are not asked for over a connection that has closed meanwhile', async () => {
    const ends = pending()
    const [waiting, queued] = [connectionTo(first), connectionTo(second)]
    const all = [waiting, queued].map((connection) => reservations.reserveAt(connection))
    await until(() => ends.length === 1)
    queued.status = 'closed'
    ends[0]?.resolve()
    await Promise.all(all)
    expect(attempts).toEqual([[1, circuit(first)]])
  })
})

describe('a reservation that was refused', () => {
  let connection: Connection & { status: string }

  beforeEach(async () => {
    answer = async () => Promise.reject(new Error('full'))
    connection = connectionTo(first)
    await expect(reservations.reserveAt(connection)).resolves.toBeUndefined()
  })

  it('is asked for again after 30 s, and so on until there is one', async () => {
    await clock.advance(29_999)
    expect(attempts).toHaveLength(1)
    await clock.advance(1)
    expect(attempts).toHaveLength(2)
    answer = async () => {}
    await clock.advance(30_000)
    expect(attempts).toEqual([1, 1, 1].map((listener) => [listener, circuit(first)]))
    expect(clock.pending).toBe(0)
  })

  it('is not asked for again when the connection has closed', async () => {
    connection.status = 'closed'
    await clock.advance(60_000)
    expect(attempts).toHaveLength(1)
    expect(clock.pending).toBe(0)
  })

  it('waits for nothing when the connection closed while it was asked for', async () => {
    const ends = pending()
    await clock.advance(30_000)
    connection.status = 'closed'
    ends[0]?.reject()
    await settle()
    expect([attempts.length, clock.pending]).toEqual([2, 0])
  })

  it('is not asked for twice when there is another connection before the 30 s are over', async () => {
    await clock.advance(10_000)
    await reservations.reserveAt(connectionTo(first, 2))
    expect(clock.pending).toBe(1)
    await clock.advance(30_000)
    expect(attempts.map(([, address]) => address)).toEqual([
      circuit(first),
      circuit(first, 2),
      circuit(first, 2),
    ])
  })

  it('is not asked for again after the end', async () => {
    reservations.stop()
    expect(clock.pending).toBe(0)
    await clock.advance(60_000)
    expect(attempts).toHaveLength(1)
  })
})
