import { settle } from 'ghostchat/testing'
import { beforeEach, describe, expect, it } from 'vitest'
import { probeIce } from '../../../src/network/ice-probe.ts'
import { settles } from '../../support/world.ts'

type Gathered = { candidate: { candidate: string } | null }

/** A browser's connection whose ICE agent is played by hand. */
class FakeConnection {
  static readonly all: FakeConnection[] = []
  static offer: () => Promise<object> = async () => ({})
  iceGatheringState = 'new'
  isClosed = false
  channels = 0
  onicecandidate = (_event: Gathered): void => {}
  onicegatheringstatechange = (): void => {}
  onicecandidateerror = (): void => {}
  readonly configuration: RTCConfiguration

  constructor(configuration: RTCConfiguration) {
    this.configuration = configuration
    FakeConnection.all.push(this)
  }

  static get last(): FakeConnection {
    return FakeConnection.all.at(-1) as FakeConnection
  }

  createDataChannel(): { close(): void } {
    this.channels += 1
    return { close: () => {} }
  }

  createOffer(): Promise<object> {
    return FakeConnection.offer()
  }

  async setLocalDescription(): Promise<void> {
    this.iceGatheringState = 'gathering'
  }

  close(): void {
    this.isClosed = true
  }

  find(type: string, address = '192.0.2.7', port = 5000): void {
    const candidate = `candidate:1 1 udp 2122260223 ${address} ${port} typ ${type} generation 0`
    this.onicecandidate({ candidate: { candidate } })
  }

  complete(): void {
    this.iceGatheringState = 'complete'
    this.onicegatheringstatechange()
  }
}

const PeerConnection = FakeConnection as unknown as typeof RTCPeerConnection
const never = new AbortController().signal
const stun = { urls: 'stun:node.example:8787' }
const turn = { urls: ['turn:a.example:1', 'turns:a.example:2'], username: '1', credential: 'x' }

beforeEach(() => {
  FakeConnection.all.splice(0)
  FakeConnection.offer = async () => ({})
})

describe('an ICE probe', () => {
  it('asks each server it is given by itself, and tells of the outside address, the relay, and who gave nothing', async () => {
    const probing = probeIce(PeerConnection, [stun, turn], never)
    await settle()
    const [asked, first, second] = FakeConnection.all
    expect(FakeConnection.all.map(({ configuration }) => configuration)).toEqual([
      { iceServers: [stun] },
      { iceServers: [{ ...turn, urls: 'turn:a.example:1' }] },
      { iceServers: [{ ...turn, urls: 'turns:a.example:2' }] },
    ])
    expect(FakeConnection.all.map(({ channels }) => channels)).toEqual([1, 1, 1])
    asked?.find('host', '10.0.0.1')
    asked?.find('srflx', '198.51.100.4', 6000)
    asked?.find('srflx', '198.51.100.9', 7000)
    first?.find('relay', '203.0.113.1')
    second?.find('srflx', '198.51.100.9', 7000)
    for (const connection of FakeConnection.all) connection.onicecandidate({ candidate: null })
    expect(await probing).toEqual({
      servers: ['stun:node.example:8787', 'turn:a.example:1', 'turns:a.example:2'],
      silent: ['turns:a.example:2'],
      hasAnswer: true,
      outsideAddress: '198.51.100.4:6000',
      hasRelay: true,
    })
    expect(FakeConnection.all.every(({ isClosed }) => isClosed)).toBe(true)
  })

  it('writes an IPv6 address as a URL does', async () => {
    const probing = probeIce(PeerConnection, [stun], never)
    await settle()
    FakeConnection.last.find('srflx', '2001:db8::1', 6000)
    FakeConnection.last.complete()
    expect((await probing).outsideAddress).toBe('[2001:db8::1]:6000')
  })

  it('takes it for an answer when gathering ends by itself: the outside address is one of the device’s own', async () => {
    const probing = probeIce(PeerConnection, [stun], never)
    await settle()
    FakeConnection.last.find('host')
    expect(await settles(probing)).toBe(false)
    FakeConnection.last.complete()
    expect(await probing).toEqual({ servers: [stun.urls], silent: [], hasAnswer: true, hasRelay: false })
  })

  it('takes it for none when a server failed, unless another told the outside address', async () => {
    for (const address of [undefined, '198.51.100.4']) {
      const probing = probeIce(PeerConnection, [stun], never)
      await settle()
      if (address !== undefined) FakeConnection.last.find('srflx', address)
      FakeConnection.last.onicecandidateerror()
      FakeConnection.last.complete()
      expect((await probing).hasAnswer).toBe(address !== undefined)
    }
  })

  it('has no answer where no server was asked', async () => {
    const nothing = { servers: [], silent: [], hasAnswer: false, hasRelay: false }
    expect(await probeIce(PeerConnection, [], never)).toEqual(nothing)
    expect(FakeConnection.all).toEqual([])
  })

  it('ends with its signal with what it has, and closes the connection', async () => {
    const controller = new AbortController()
    const probing = probeIce(PeerConnection, [stun, turn], controller.signal)
    await settle()
    FakeConnection.last.find('host')
    controller.abort()
    expect(await probing).toMatchObject({ hasAnswer: false, hasRelay: false })
    expect(FakeConnection.last.isClosed).toBe(true)
    expect(await probeIce(PeerConnection, [stun], controller.signal)).toMatchObject({ hasAnswer: false })
  })

  it('survives candidates that make no sense', async () => {
    const probing = probeIce(PeerConnection, [stun], never)
    await settle()
    for (const candidate of ['', 'typ srflx', ' '.repeat(20)]) {
      FakeConnection.last.onicecandidate({ candidate: { candidate } })
    }
    FakeConnection.last.complete()
    expect(await probing).toMatchObject({ hasRelay: false })
  })

  it('closes the connection when it cannot begin', async () => {
    FakeConnection.offer = async () => Promise.reject(new Error('no offer'))
    await expect(probeIce(PeerConnection, [stun], never)).rejects.toThrow('no offer')
    expect(FakeConnection.last.isClosed).toBe(true)
  })
})
