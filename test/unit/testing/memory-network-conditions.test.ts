import {
  ManualClock,
  MemoryNetwork,
  type MemoryNetworkOptions,
  seededRandom,
  settle,
} from 'ghostchat/testing'
import { describe, expect, it } from 'vitest'
import type { Channel, FrameStream, Network } from '../../../src/network/network.ts'
import { NOW } from '../../support/authors.ts'

interface Member {
  network: Network
  channel: Channel
  /** What it was told, with the time since the beginning. */
  told: string[]
  /** The gossip among it. */
  heard: string[]
  streams: FrameStream[]
}

const bytes = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text)
const textOf = (data: Uint8Array): string => new TextDecoder().decode(data)
const never = new AbortController().signal

/** A network with a clock of its own and members to come. */
function world(options: MemoryNetworkOptions = {}): {
  clock: ManualClock
  network: MemoryNetwork
  member: (verdict?: 'accept' | 'ignore') => Member
  members: (count: number) => Member[]
} {
  const clock = new ManualClock(NOW)
  const network = new MemoryNetwork({ clock, random: seededRandom('network'), ...options })
  const member = (verdict: 'accept' | 'ignore' = 'accept'): Member => {
    const peer = network.peer()
    const told: string[] = []
    const heard: string[] = []
    const streams: FrameStream[] = []
    const tell = (what: string): void => void told.push(`${clock.now() - NOW} ${what}`)
    const channel = peer.join('topic', {
      onGossip: async (data) => {
        tell(textOf(data))
        heard.push(textOf(data))
        return verdict
      },
      onNeighbours: () => {},
      onWider: () => tell('wider'),
      onPeerLost: (peerId) => tell(`lost ${peerId}`),
      onStream: (stream) => void streams.push(stream),
    })
    return { network: peer, channel, told, heard, streams }
  }
  return { clock, network, member, members: (count) => Array.from({ length: count }, () => member()) }
}

/** Opens a stream from one member to another. */
async function streamBetween(
  { clock }: { clock: ManualClock },
  from: Member,
  to: Member,
): Promise<[FrameStream, FrameStream]> {
  const opening = from.channel.open(to.network.peerId, { signal: never })
  await clock.advance(1_000)
  const here = await opening
  const there = to.streams.at(-1)
  if (there === undefined) throw new Error('no stream came')
  return [here, there]
}

function reader(stream: FrameStream): { read: string[]; ended: () => unknown } {
  const read: string[] = []
  let end: unknown
  void (async () => {
    try {
      for await (const frame of stream.frames) read.push(textOf(frame))
      end = 'closed'
    } catch (thrown) {
      end = thrown
    }
  })()
  return { read, ended: () => end }
}

describe('latency', () => {
  it('holds a message back for as long as it says, each for another time', async () => {
    const { clock, members } = world({ latencyMs: [10, 200] })
    const [a, ...others] = members(40)
    await clock.advance(1_000)
    await a?.channel.publish(bytes('hello'))
    await clock.advance(9)
    expect(others.flatMap(({ heard }) => heard)).toEqual([])
    await clock.advance(191)
    expect(others.flatMap(({ heard }) => heard)).toHaveLength(39)
    const times = new Set(others.map(({ told }) => told.find((text) => text.includes('hello'))))
    expect(times.size).toBeGreaterThan(20)
  })

  it('lets messages overtake each other, and frames of a stream never', async () => {
    const { clock, members } = world({ latencyMs: [10, 200] })
    const [a, b] = members(2)
    if (a === undefined || b === undefined) return
    const numbers = Array.from({ length: 20 }, (_, index) => `${index}`)
    const [here, there] = await streamBetween({ clock }, a, b)
    const { read, ended } = reader(there)
    for (const number of numbers) {
      await a.channel.publish(bytes(number))
      await here.send(bytes(number))
    }
    await here.close()
    await clock.advance(9)
    expect(read).toEqual([])
    await clock.advance(191)
    expect(read).toEqual(numbers)
    expect(ended()).toBe('closed')
    expect(b.heard).not.toEqual(numbers)
    expect([...b.heard].sort()).toEqual([...numbers].sort())
  })

  it('takes its time to make a connection too', async () => {
    const { clock, members } = world({ latencyMs: [50, 50] })
    const [a] = members(2)
    expect(a?.channel.neighbours()).toBe(0)
    await clock.advance(50)
    expect(a?.channel.neighbours()).toBe(1)
  })
})

describe('chance', () => {
  it('loses the part of the messages it is told to, and says nothing of it', async () => {
    const { clock, members } = world({ loss: 0.25 })
    const [a, ...others] = members(11)
    for (let index = 0; index < 100; index += 1) expect(await a?.channel.publish(bytes(`${index}`))).toBe(10)
    await clock.advance(1)
    const arrived = others.flatMap(({ heard }) => heard).length
    expect(Math.abs(arrived - 750)).toBeLessThan(60)
  })

  it('brings messages twice', async () => {
    const { clock, network, members } = world()
    const [a, b] = members(2)
    network.change({ duplication: 1 })
    await a?.channel.publish(bytes('hello'))
    await clock.advance(1)
    expect(b?.heard).toEqual(['hello', 'hello'])
    network.change({ duplication: 0 })
    await a?.channel.publish(bytes('bye'))
    await clock.advance(1)
    expect(b?.heard).toEqual(['hello', 'hello', 'bye'])
  })

  it('shows the conditions that hold: calm unless told otherwise, and a change leaves the others as they are', () => {
    const calm = { latencyMs: [0, 0], loss: 0, duplication: 0, breakage: 0, noticeMs: [0, 0] }
    expect(new MemoryNetwork().conditions).toEqual(calm)
    const { network } = world({ loss: 0.5, latencyMs: [20, 200] })
    expect(network.conditions).toEqual({ ...calm, loss: 0.5, latencyMs: [20, 200] })
    network.change({ loss: 0, breakage: 0.1 })
    expect(network.conditions).toEqual({ ...calm, breakage: 0.1, latencyMs: [20, 200] })
  })

  it('breaks streams, for both sides', async () => {
    const { clock, network, members } = world()
    const [a, b] = members(2)
    if (a === undefined || b === undefined) return
    const [here, there] = await streamBetween({ clock }, a, b)
    const { read, ended } = reader(there)
    await here.send(bytes('one'))
    network.change({ breakage: 1 })
    await expect(here.send(bytes('two'))).rejects.toThrow('the stream broke')
    await settle()
    expect(read).toEqual(['one'])
    expect(ended()).toEqual(new Error('the stream broke'))
    await expect(there.send(bytes('three'))).rejects.toThrow('the stream broke')
  })

  it('is the same for the same seed: peer ids, losses and times', async () => {
    const run = async (seed: string): Promise<unknown> => {
      const random = seededRandom(seed)
      const { clock, members } = world({ random, latencyMs: [1, 100], loss: 0.3, neighbours: 3 })
      const all = members(8)
      await clock.advance(1_000)
      for (const { channel } of all) await channel.publish(bytes('hello'))
      await clock.advance(1_000)
      return all.map(({ told, network }) => [network.peerId, told])
    }
    expect(await run('a')).toEqual(await run('a'))
    expect(await run('a')).not.toEqual(await run('b'))
  })
})

describe('back-pressure', () => {
  it('makes a sender wait for a reader that is slow, until it reads or the stream breaks', async () => {
    const { clock, members } = world()
    const [a, b] = members(2)
    if (a === undefined || b === undefined) return
    const [here, there] = await streamBetween({ clock }, a, b)
    const frame = new Uint8Array(32 * 1024)
    for (let sent = 0; sent < 8; sent += 1) await here.send(frame)
    let isSent = false
    const sending = here.send(frame).then(() => {
      isSent = true
    })
    await settle()
    expect(isSent).toBe(false)
    await there.frames[Symbol.asyncIterator]().next()
    await sending
    const waiting = here.send(frame)
    there.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
  })
})

describe('a connection that is gone', () => {
  it('after a crash is noticed when it is said to be; until then what is sent is lost', async () => {
    const { clock, network, members } = world({ noticeMs: [5_000, 5_000] })
    const [a, b] = members(2)
    if (a === undefined || b === undefined) return
    const [, there] = await streamBetween({ clock }, b, a)
    const { ended } = reader(there)
    network.crash(b.network.peerId)
    expect(await a.channel.publish(bytes('are you there?'))).toBe(1)
    await b.channel.publish(bytes('from the other world'))
    const opening = a.channel
      .open(b.network.peerId, { signal: never })
      .catch((thrown: Error) => thrown.message)
    await clock.advance(4_999)
    expect([a.channel.neighbours(), a.told, ended()]).toEqual([1, [], undefined])
    await clock.advance(1)
    expect([a.channel.neighbours(), a.told]).toEqual([0, [`6000 lost ${b.network.peerId}`]])
    expect(ended()).toEqual(new Error('the connection was lost'))
    expect(await opening).toContain('cannot be reached')
    expect(b.told).toEqual([])
  })

  it('in a partition that heals before anybody noticed, was never gone', async () => {
    const { clock, network, members } = world({ noticeMs: [5_000, 5_000] })
    const [a, b] = members(2)
    if (a === undefined || b === undefined) return
    network.partition([[a.network.peerId]])
    await a.channel.publish(bytes('lost'))
    await clock.advance(4_000)
    network.heal()
    await clock.advance(4_000)
    await a.channel.publish(bytes('heard'))
    await clock.advance(1)
    expect([a.told, b.heard, a.channel.neighbours()]).toEqual([[], ['heard'], 1])
  })

  it('breaks the streams that went over it', async () => {
    const { clock, network, members } = world()
    const [a, b] = members(2)
    if (a === undefined || b === undefined) return
    const [here, there] = await streamBetween({ clock }, a, b)
    network.partition([[a.network.peerId]])
    await settle()
    await expect(here.send(bytes('x'))).rejects.toThrow('the connection was lost')
    await expect(there.send(bytes('x'))).rejects.toThrow('the connection was lost')
  })

  it('crashes nobody twice, and nobody unknown', () => {
    const { network, members } = world()
    const [a] = members(1)
    const peerId = a?.network.peerId ?? ''
    network.crash(peerId)
    expect(() => network.crash(peerId)).toThrow('there is no peer')
  })

  it('neither sleeps nor wakes where there is nobody', () => {
    const { network } = world()
    expect(() => network.sleep('nobody')).toThrow('there is no peer nobody')
    expect(() => network.wake('nobody')).toThrow('there is no peer nobody')
  })
})

describe('who closes', () => {
  it('is heard to the last word, and is lost then', async () => {
    const { clock, members } = world({ latencyMs: [10, 50] })
    const [a, b] = members(2)
    if (a === undefined || b === undefined) return
    await clock.advance(100)
    await b.channel.publish(bytes('bye'))
    await b.network.close()
    await clock.advance(100)
    expect(a.heard).toEqual(['bye'])
    expect(a.told.at(-1)).toBe(`150 lost ${b.network.peerId}`)
    expect(await b.channel.publish(bytes('one more thing'))).toBe(0)
    await clock.advance(100)
    expect(a.heard).toEqual(['bye'])
  })
})

describe('a device that sleeps', () => {
  it('hears what came meanwhile when it wakes up', async () => {
    const { clock, network, members } = world({ noticeMs: [5_000, 5_000] })
    const [a, b] = members(2)
    if (a === undefined || b === undefined) return
    network.sleep(b.network.peerId)
    await a.channel.publish(bytes('1'))
    await clock.advance(2_000)
    await a.channel.publish(bytes('2'))
    await clock.advance(2_000)
    expect(b.heard).toEqual([])
    network.wake(b.network.peerId)
    await clock.advance(10_000)
    expect([b.told, a.told]).toEqual([['4000 1', '4000 2'], []])
  })

  it('and for long, has lost its connections, and has them again', async () => {
    const { clock, network, members } = world({ noticeMs: [5_000, 5_000] })
    const [a, b] = members(2)
    if (a === undefined || b === undefined) return
    network.sleep(b.network.peerId)
    await clock.advance(6_000)
    expect(a.told).toEqual([`5000 lost ${b.network.peerId}`])
    await a.channel.publish(bytes('to nobody'))
    expect(b.told).toEqual([])
    network.wake(b.network.peerId)
    expect(b.told).toEqual([`6000 lost ${a.network.peerId}`])
    expect([a.channel.neighbours(), b.channel.neighbours()]).toEqual([1, 1])
    await a.channel.publish(bytes('welcome'))
    await clock.advance(1)
    expect(b.heard).toEqual(['welcome'])
  })
})

describe('few neighbours', () => {
  it('are as many as are wanted, and messages reach everybody, once', async () => {
    const { clock, members } = world({ neighbours: 3, latencyMs: [1, 50] })
    const all = members(30)
    await clock.advance(1_000)
    const counts = all.map(({ channel }) => channel.neighbours())
    expect(Math.min(...counts)).toBeGreaterThanOrEqual(3)
    expect(Math.max(...counts)).toBeLessThanOrEqual(6)
    expect(await all[0]?.channel.publish(bytes('hello'))).toBe(counts[0])
    await clock.advance(1_000)
    expect(all.map(({ heard }) => heard.length)).toEqual([0, ...new Array(29).fill(1)])
    await all[7]?.channel.publish(bytes('hello'))
    await clock.advance(1_000)
    expect(all.flatMap(({ heard }) => heard)).toHaveLength(29)
  })

  it('who accept nothing pass nothing on', async () => {
    const { clock, member } = world({ neighbours: 1 })
    const a = member()
    member('ignore')
    const c = member()
    const path = [a, c].map(({ channel }) => channel.neighbours())
    await a.channel.publish(bytes('hello'))
    await clock.advance(10)
    expect([path, c.heard]).toEqual([[1, 1], []])
  })

  it('stay one whole in each part, and are one again after, when those who join them hear of it', async () => {
    const { clock, network, members } = world({ neighbours: 2 })
    const all = members(20)
    const [left, right] = [all.slice(0, 10), all.slice(10)]
    network.partition([left.map(({ network: { peerId } }) => peerId)])
    await left[0]?.channel.publish(bytes('left'))
    await right[0]?.channel.publish(bytes('right'))
    await clock.advance(10)
    expect(left.flatMap(({ heard }) => heard)).toEqual(new Array(9).fill('left'))
    expect(right.flatMap(({ heard }) => heard)).toEqual(new Array(9).fill('right'))
    network.heal()
    await left[0]?.channel.publish(bytes('all'))
    await clock.advance(10)
    expect(all.filter(({ heard }) => heard.includes('all'))).toHaveLength(19)
    expect(all.filter(({ told }) => told.some((text) => text.includes('wider')))).toHaveLength(2)
  })

  it('that are lost are replaced', async () => {
    const { clock, network, members } = world({ neighbours: 3, noticeMs: [100, 100] })
    const all = members(20)
    for (const { network: peer } of all.slice(0, 8)) network.crash(peer.peerId)
    await clock.advance(100)
    const left = all.slice(8)
    expect(Math.min(...left.map(({ channel }) => channel.neighbours()))).toBeGreaterThanOrEqual(3)
    await left[0]?.channel.publish(bytes('hello'))
    await clock.advance(10)
    expect(left.flatMap(({ heard }) => heard)).toHaveLength(11)
  })
})
