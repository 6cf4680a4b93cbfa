import { MemoryNetwork, settle } from 'ghostchat/testing'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Channel, FrameStream, Network } from '../../../src/network/network.ts'

interface Member {
  network: Network
  channel: Channel
  told: string[]
  streams: FrameStream[]
}

let network: MemoryNetwork

beforeEach(() => {
  network = new MemoryNetwork()
})

function member(topic = 'topic'): Member {
  const peer = network.peer()
  const told: string[] = []
  const streams: FrameStream[] = []
  const channel = peer.join(topic, {
    onGossip: async (data) => {
      told.push(new TextDecoder().decode(data))
      return 'accept'
    },
    onNeighbours: () => told.push('neighbours'),
    onWider: () => told.push('wider'),
    onPeerLost: (peerId) => told.push(`lost ${peerId}`),
    onStream: (stream) => streams.push(stream),
  })
  return { network: peer, channel, told, streams }
}

const bytes = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text)
const never = new AbortController().signal

describe('the network in memory', () => {
  it('carries to everybody in a topic but the sender, in a later task', async () => {
    const [a, b, c, elsewhere] = [member(), member(), member(), member('other')]
    const publishing = a.channel.publish(bytes('hello'))
    expect(b.told).not.toContain('hello')
    expect(await publishing).toBe(2)
    await settle()
    expect([a, b, c, elsewhere].map(({ told }) => told.includes('hello'))).toEqual([false, true, true, false])
    expect([a.channel.neighbours(), elsewhere.channel.neighbours()]).toEqual([2, 0])
  })

  it('tells of neighbours that come, go, and are cut off', async () => {
    const [a, b] = [member(), member()]
    expect(a.told).toEqual(['neighbours'])
    network.partition([[b.network.peerId]])
    expect(a.told).toEqual(['neighbours', `lost ${b.network.peerId}`, 'neighbours'])
    expect([a.channel.neighbours(), await a.channel.publish(bytes('x'))]).toEqual([0, 0])
    await expect(a.channel.open(b.network.peerId, { signal: never })).rejects.toThrow('cannot be reached')
    network.heal()
    expect(a.channel.neighbours()).toBe(1)
    b.channel.leave()
    b.channel.leave()
    expect(a.channel.neighbours()).toBe(0)
    expect(a.told.at(-1)).toBe('neighbours')
  })

  it('carries streams both ways, whole and in order', async () => {
    const [a, b] = [member(), member()]
    const here = await a.channel.open(b.network.peerId, { signal: never })
    await settle()
    const [there] = b.streams
    if (there === undefined) throw new Error('no stream came')
    const frame = bytes('1')
    await here.send(frame)
    frame[0] = 0
    await here.send(bytes('2'))
    await here.close()
    const read: string[] = []
    for await (const each of there.frames) read.push(new TextDecoder().decode(each))
    expect(read).toEqual(['1', '2'])
    await there.send(bytes('3'))
    there.abort(new Error('cable'))
    const iterator = here.frames[Symbol.asyncIterator]()
    expect(new TextDecoder().decode((await iterator.next()).value as Uint8Array)).toBe('3')
    await expect(iterator.next()).rejects.toThrow('cable')
    await expect(here.send(bytes('4'))).rejects.toThrow()
  })

  it('opens no stream that was given up', async () => {
    const [a, b] = [member(), member()]
    const signal = AbortSignal.abort(new Error('given up'))
    await expect(a.channel.open(b.network.peerId, { signal })).rejects.toThrow('given up')
  })

  it('loses who closes, and tells both: that it is lost, and how many are left', async () => {
    const [a, b] = [member(), member()]
    a.told.length = 0
    await b.network.close()
    await b.network.close()
    expect(a.channel.neighbours()).toBe(0)
    expect(a.told).toEqual(expect.arrayContaining([`lost ${b.network.peerId}`, 'neighbours']))
  })
})
