import { describe, expect, it } from 'vitest'
import { decodeNodeInfo } from '../../../src/wire/node-info.ts'
import { NOW, testPeerId } from '../../support/authors.ts'

const info = { version: '1.2.3', peerId: testPeerId(1), multiaddrs: ['/ip4/127.0.0.1/tcp/1/ws'], time: NOW }

describe('decodeNodeInfo', () => {
  it('understands a description, and leaves alone what it does not know', () => {
    expect(decodeNodeInfo(JSON.stringify(info))).toEqual(info)
    expect(decodeNodeInfo(JSON.stringify({ ...info, motd: 'hello', multiaddrs: [] }))).toEqual({
      ...info,
      multiaddrs: [],
    })
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
    ['33 addresses', JSON.stringify({ ...info, multiaddrs: Array.from({ length: 33 }, () => '/x') })],
  ])('refuses %s', (_what, json) => {
    expect(decodeNodeInfo(json ?? '')).toBeUndefined()
  })
})
