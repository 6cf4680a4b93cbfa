import { describe, expect, it } from 'vitest'
import { decodeNodeInfo } from '../../../src/wire/node-info.ts'
import { NOW, testPeerId } from '../../support/authors.ts'

const info = { version: '1.2.3', peerId: testPeerId(1), multiaddrs: ['/ip4/127.0.0.1/tcp/1/ws'], time: NOW }

describe('decodeNodeInfo', () => {
  it('understands a description, and leaves alone what it does not know', () => {
    const full = {
      ...info,
      stunPort: 8787,
      iceServers: [{ urls: 'turn:turn.example:3478?transport=udp', username: '1', credential: 'x' }],
      peers: ['/ip4/127.0.0.1/tcp/2/ws'],
    }
    expect(decodeNodeInfo(JSON.stringify(full))).toEqual(full)
    expect(decodeNodeInfo(JSON.stringify({ ...full, motd: 'hello', multiaddrs: [] }))).toEqual({
      ...full,
      multiaddrs: [],
    })
  })

  it('understands the description of a node that offers nothing for direct connections', () => {
    expect(decodeNodeInfo(JSON.stringify(info))).toEqual({ ...info, iceServers: [], peers: [] })
  })

  it('takes 32 addresses, 32 peers and 8 ICE servers, and leaves the rest', () => {
    const long = {
      ...info,
      multiaddrs: Array(40).fill('/x'),
      peers: Array(40).fill('/y'),
      iceServers: Array(9).fill({ urls: 'stun:x:1' }),
    }
    const decoded = decodeNodeInfo(JSON.stringify(long))
    expect([decoded?.multiaddrs.length, decoded?.peers.length, decoded?.iceServers.length]).toEqual([
      32, 32, 8,
    ])
  })

  it.each([
    ['http://x'],
    ['stun:a:b:c'],
    ['stun::'],
    ['stun:h:0'],
    ['stun:h:65536'],
    ['stun:h?transport=udp'],
    ['stun:a/b'],
    ['stun:[::1'],
    ['turn:x:1?transport=zzz'],
    [''],
  ])('leaves out the ICE server %j, which WebRTC would not take, and keeps the others', (urls) => {
    const server = { urls, username: '1', credential: 'x' }
    const iceServers = [server, { urls: 'stun:x:1' }]
    expect(decodeNodeInfo(JSON.stringify({ ...info, iceServers }))?.iceServers).toEqual([
      { urls: 'stun:x:1' },
    ])
  })

  it.each([
    ['stun:stun.example'],
    ['stuns:stun.example:5349'],
    ['turn:[2001:db8::1]:3478?transport=tcp'],
    ['TURN:turn.example?transport=udp'],
  ])('takes the ICE server %j', (urls) => {
    const server = { urls, username: '1', credential: 'x' }
    expect(decodeNodeInfo(JSON.stringify({ ...info, iceServers: [server] }))?.iceServers).toEqual([server])
  })

  it.each(['turn:x:1', 'TURN:x:1', 'Turns:x:1'])(
    'leaves out a TURN server without credentials: %s',
    (urls) => {
      const iceServers = [{ urls }]
      expect(decodeNodeInfo(JSON.stringify({ ...info, iceServers }))?.iceServers).toEqual([])
    },
  )

  it.each([
    ['no JSON', '<html>'],
    ['nothing', ''],
    ['a list', '[]'],
    ['null', 'null'],
    ...(['version', 'peerId', 'multiaddrs', 'time'] as const).map((key) => {
      const { [key]: _missing, ...rest } = info
      return [`no ${key}`, JSON.stringify(rest)]
    }),
    ['a number as a version', JSON.stringify({ ...info, version: 1 })],
    ['a time that is text', JSON.stringify({ ...info, time: 'noon' })],
    ['addresses that are no list', JSON.stringify({ ...info, multiaddrs: 'x' })],
    ['an address that is no text', JSON.stringify({ ...info, multiaddrs: [1] })],
    ['a STUN port of 0', JSON.stringify({ ...info, stunPort: 0 })],
    ['a STUN port beyond the last', JSON.stringify({ ...info, stunPort: 65_536 })],
    ['peers that are no texts', JSON.stringify({ ...info, peers: [1] })],
    ['a version that draws on a terminal', JSON.stringify({ ...info, version: '\u001b[31m1' })],
    ['a version without end', JSON.stringify({ ...info, version: '1'.repeat(65) })],
    ['a time beyond all dates', JSON.stringify({ ...info, time: 1e308 })],
  ])('refuses %s', (_what, json) => {
    expect(decodeNodeInfo(json ?? '')).toBeUndefined()
  })
})
