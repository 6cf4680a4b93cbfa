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
    [
      'an ICE server that is no STUN or TURN',
      JSON.stringify({ ...info, iceServers: [{ urls: 'http://x' }] }),
    ],
    ['a TURN server without credentials', JSON.stringify({ ...info, iceServers: [{ urls: 'turn:x:1' }] })],
    ['nine ICE servers', JSON.stringify({ ...info, iceServers: Array(9).fill({ urls: 'stun:x:1' }) })],
    ['peers that are no texts', JSON.stringify({ ...info, peers: [1] })],
    ['33 addresses', JSON.stringify({ ...info, multiaddrs: Array.from({ length: 33 }, () => '/x') })],
  ])('refuses %s', (_what, json) => {
    expect(decodeNodeInfo(json ?? '')).toBeUndefined()
  })
})
