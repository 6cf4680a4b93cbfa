import type { Socket } from 'node:dgram'
import { EventEmitter } from 'node:events'
import { ManualClock } from 'ghostchat/testing'
import { beforeEach, describe, expect, it } from 'vitest'
import { StunResponder, serveStun } from '../../../src/node/stun-server.ts'
import { NOW } from '../../support/authors.ts'
import { readMappedAddress, stunMessage } from '../../support/stun.ts'

const request = stunMessage({})
const source = { address: '192.0.2.1', port: 4_321 }
let clock: ManualClock
let responder: StunResponder
beforeEach(() => {
  clock = new ManualClock(NOW)
  responder = new StunResponder(clock)
})

/** How many of some requests, each from an address of its own or all from one, are answered. */
const answered = (times: number, addressOf: (turn: number) => string): number => {
  let count = 0
  for (let turn = 0; turn < times; turn += 1) {
    if (responder.answer(request, { address: addressOf(turn), port: 1 })) count += 1
  }
  return count
}

describe('what a STUN server answers', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8::1', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
  ])('to %s is %s', (address, seen) => {
    const answer = responder.answer(request, { address, port: 4_321 })
    expect(answer && readMappedAddress(answer)).toEqual({ ip: seen, port: 4_321 })
  })

  it('is nothing to what is no request, to port 0, and to an address that is none', () => {
    expect(responder.answer(new Uint8Array(20), source)).toBeUndefined()
    expect(responder.answer(request, { ...source, port: 0 })).toBeUndefined()
    expect(responder.answer(request, { ...source, address: '' })).toBeUndefined()
  })

  it('is 200 answers to one address at once, and then 50 a second', async () => {
    expect(answered(1_000, () => '192.0.2.1')).toBe(200)
    await clock.advance(1_000)
    expect(answered(1_000, () => '192.0.2.1')).toBe(50)
  })

  it('is the same for all of an IPv6 /64, and for others as before', () => {
    expect(answered(1_000, (turn) => `2001:db8::${turn.toString(16)}`)).toBe(200)
    expect(answered(1, () => '2001:db8:0:1::1')).toBe(1)
  })

  it('is 20,000 answers in all at once, and then 10,000 a second, whatever sources are forged', async () => {
    const forged = (turn: number): string => `10.${turn >> 16}.${(turn >> 8) & 255}.${turn & 255}`
    expect(answered(50_000, forged)).toBe(20_000)
    await clock.advance(1_000)
    expect(answered(50_000, forged)).toBe(10_000)
  })

  it('is not less to others when one address asks too much', () => {
    answered(100_000, () => '192.0.2.1')
    expect(answered(1, () => '192.0.2.2')).toBe(1)
  })

  it('does not count what is no request', () => {
    for (let turn = 0; turn < 1_000; turn += 1) responder.answer(new Uint8Array(20), source)
    expect(answered(1, () => source.address)).toBe(1)
  })
})

describe('a STUN server', () => {
  /** A socket in memory that does as it is told. */
  function fakeSocket(behaviour: { send?: (done: (error?: Error) => void) => void; queued?: number } = {}) {
    const sent: Uint8Array[] = []
    const socket = Object.assign(new EventEmitter(), {
      address: () => ({ address: '192.0.2.9', port: 3478 }),
      getSendQueueSize: () => behaviour.queued ?? 0,
      send: (bytes: Uint8Array, _port: number, _address: string, done: (error?: Error) => void) => {
        behaviour.send?.(done)
        sent.push(bytes)
      },
      close: (done: () => void) => done(),
    })
    const lines: string[] = []
    const note = (message: string, detail?: unknown): void => void lines.push(`${message}: ${String(detail)}`)
    const server = serveStun(socket as unknown as Socket, responder, { debug: note, warn: note })
    return { socket, sent, server, lines }
  }

  it('counts its answers', () => {
    const { socket, sent, server } = fakeSocket()
    socket.emit('message', request, source)
    socket.emit('message', new Uint8Array(3), source)
    expect([server.answered, sent.length]).toEqual([1, 1])
  })

  it('survives a send that throws, one that fails later, and an error of the socket', () => {
    const fails = fakeSocket({
      send: () => {
        throw new Error('EINVAL')
      },
    })
    fails.socket.emit('message', request, source)
    const failsLater = fakeSocket({ send: (done) => done(new Error('ENETUNREACH')) })
    failsLater.socket.emit('message', request, source)
    failsLater.socket.emit('error', new Error('EIO'))
    expect(fails.server.answered).toBe(0)
    expect([...fails.lines, ...failsLater.lines]).toEqual([
      'a STUN answer was not sent: EINVAL',
      'a STUN answer was not sent: ENETUNREACH',
      'the STUN socket failed: EIO',
    ])
  })

  it('sends nothing while 1 MiB waits in its socket', () => {
    for (const { queued, count } of [
      { queued: 1024 * 1024, count: 1 },
      { queued: 1024 * 1024 + 1, count: 0 },
    ]) {
      const { socket, sent } = fakeSocket({ queued })
      socket.emit('message', request, source)
      expect(sent).toHaveLength(count)
    }
  })
})
