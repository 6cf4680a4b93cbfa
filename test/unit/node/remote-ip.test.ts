import type { IncomingMessage } from 'node:http'
import { describe, expect, it } from 'vitest'
import { isLoopback, remoteIpOf } from '../../../src/node/remote-ip.ts'

function from(remoteAddress: string | undefined, forwarded?: string | string[]): IncomingMessage {
  const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded }
  return { socket: { remoteAddress }, headers } as unknown as IncomingMessage
}

describe('the address of a client', () => {
  it.each([
    ['the socket where no proxy is trusted', from('192.0.2.1', '198.51.100.7'), false, '192.0.2.1'],
    ['the header where one is', from('127.0.0.1', '198.51.100.7'), true, '198.51.100.7'],
    [
      'the entry the proxy wrote: the last',
      from('127.0.0.1', '10.0.0.1, 203.0.113.9,198.51.100.7 '),
      true,
      '198.51.100.7',
    ],
    ['the last of several headers', from('127.0.0.1', ['10.0.0.1', '198.51.100.7']), true, '198.51.100.7'],
    ['an IPv6 address', from('127.0.0.1', '2001:db8::1'), true, '2001:db8::1'],
    ['the socket where there is no header', from('192.0.2.1'), true, '192.0.2.1'],
    ['the socket where the header is empty', from('192.0.2.1', ''), true, '192.0.2.1'],
    [
      'the socket where the entry is no address',
      from('192.0.2.1', '198.51.100.7, unknown'),
      true,
      '192.0.2.1',
    ],
    ['the socket where the entry has a port', from('192.0.2.1', '198.51.100.7:80'), true, '192.0.2.1'],
    ['nothing known', from(undefined), false, '0.0.0.0'],
  ])('is %s', (_what, request, trusted, ip) => {
    expect(remoteIpOf(request, trusted)).toBe(ip)
  })

  it.each([
    ['127.0.0.1', true],
    ['127.255.0.1', true],
    ['::1', true],
    ['::ffff:127.0.0.1', true],
    ['128.0.0.1', false],
    ['192.0.2.127', false],
    ['::', false],
    ['::ffff:192.0.2.1', false],
    ['2001:db8::1', false],
    ['', false],
  ])('%s is this machine: %s', (ip, expected) => {
    expect(isLoopback(ip)).toBe(expected)
  })
})
