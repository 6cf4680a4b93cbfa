import { describe, expect, it } from 'vitest'
import { silentLogger } from '../../../src/logger.ts'
import { checkOptions, type GhostNodeOptions } from '../../../src/node/options.ts'
import { testPeerId } from '../../support/authors.ts'
import { codeOf } from '../../support/world.ts'

describe('the options of a node', () => {
  it('have defaults', () => {
    const { logger, ...options } = checkOptions({})
    expect(options).toEqual({
      host: '0.0.0.0',
      port: 8787,
      dataDir: undefined,
      announce: [],
      trustProxy: false,
      maxConnections: 10_000,
      maxRooms: 10_000,
      maxReservations: 4_096,
      maxReservationsPerIp: 32,
      peers: [],
      stunPort: undefined,
      iceServers: [],
      turnSecret: undefined,
    })
    expect(logger.warn).toBeTypeOf('function')
  })

  it('are taken as they are where they are right', () => {
    const options = {
      host: '::1',
      port: 0,
      dataDir: '/data',
      trustProxy: true,
      maxReservations: 0,
      logger: silentLogger,
    }
    const checked = checkOptions({
      ...options,
      announce: ['/dns4/node.example/tcp/443/tls/ws', '/ip6/::1/tcp/1/ws'],
    })
    expect(checked).toMatchObject(options)
    expect(checked.announce.map(String)).toEqual(['/dns4/node.example/tcp/443/tls/ws', '/ip6/::1/tcp/1/ws'])
  })

  it.each([
    ['host', 'localhost'],
    ['host', ''],
    ['host', '300.0.0.1'],
    ['host', 7],
    ['port', -1],
    ['port', 65_536],
    ['port', 1.5],
    ['port', '8787'],
    ['port', Number.NaN],
    ['dataDir', ''],
    ['dataDir', 5],
    ['trustProxy', 'yes'],
    ['trustProxy', 1],
    ['announce', '/ip4/127.0.0.1/tcp/1/ws'],
    ['announce', ['node.example']],
    ['announce', ['/ip4/300.0.0.1/tcp/1']],
    ['announce', [5]],
    ['announce', ['']],
    ['announce', ['/ip4/192.0.2.1']],
    ['announce', ['/ip4/192.0.2.1/tcp/8787']],
    ['announce', ['/p2p-circuit']],
    ['maxConnections', 0],
    ['maxConnections', 1_000_001],
    ['maxConnections', Number.POSITIVE_INFINITY],
    ['maxRooms', 0],
    ['maxRooms', '5'],
    ['maxReservations', -1],
    ['maxReservationsPerIp', 0],
  ])('%s cannot be %j', async (name, value) => {
    const options = { [name]: value } as GhostNodeOptions
    expect(await codeOf(() => checkOptions(options))).toBe('invalid-option')
  })

  it('announce addresses without a peer id: the node adds its own, which may be another by now', () => {
    const announce = [`/dns4/node.example/tcp/443/wss/p2p/${testPeerId(1)}`]
    expect(checkOptions({ announce }).announce.map(String)).toEqual(['/dns4/node.example/tcp/443/wss'])
  })

  it.each(['turn:turn.example', 'TURNS:turn.example'])('need a secret for %s', async (url) => {
    expect(await codeOf(() => checkOptions({ iceServers: [url] }))).toBe('invalid-option')
    expect(checkOptions({ iceServers: [url], turnSecret: 'secret' }).iceServers).toEqual([url])
  })

  it('name what is wrong', () => {
    expect(() => checkOptions({ port: 70_000 })).toThrow(
      "port must be a whole number from 0 to 65535, not '70000'",
    )
  })
})
