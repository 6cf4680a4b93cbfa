import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { systemRandom } from '../../src/random.ts'
import { checkSpaceOptions, type OpenSpaceOptions } from '../../src/space-options.ts'
import { codeOf } from '../support/world.ts'

const turn = { urls: 'turn:turn.example:3478?transport=udp', username: 'ada', credential: 'secret' }

/** Options as somebody gives them who has no TypeScript. */
const check = (options: object): unknown => checkSpaceOptions(options as OpenSpaceOptions)

describe('the options of a space', () => {
  it('have defaults: direct connections, nothing private, nobody’s servers but the nodes’, warnings to the console', () => {
    const { logger, ...options } = checkSpaceOptions({})
    expect(options).toEqual({
      nodes: [],
      identity: 'stored',
      signal: undefined,
      network: undefined,
      clock: systemClock,
      random: systemRandom,
      direct: true,
      allowPrivateAddresses: false,
      iceServers: [],
      routing: [],
      libp2p: undefined,
    })
    const warned = vi.spyOn(console, 'warn').mockImplementation(() => {})
    onTestFinished(() => warned.mockRestore())
    const others = (['debug', 'log', 'info', 'error'] as const).map((name) => vi.spyOn(console, name))
    logger.debug('a step')
    logger.warn('out of reach')
    logger.warn('it failed', { because: 'no route' })
    expect(warned.mock.calls).toEqual([
      ['ghostchat: out of reach'],
      ['ghostchat: it failed', { because: 'no route' }],
    ])
    for (const spy of others) {
      expect(spy).not.toHaveBeenCalled()
      spy.mockRestore()
    }
  })

  it('are taken as they are where they are right', () => {
    const libp2p = {}
    const options = {
      nodes: ['https://node.example'],
      direct: false,
      allowPrivateAddresses: true,
      iceServers: [{ urls: ['stun:a.example:1', 'stuns:b.example'] }, turn],
      libp2p,
    }
    const checked = checkSpaceOptions({
      ...options,
      delegatedRouting: ['https://routing.example/base', 'http://[::1]:1'],
    })
    expect(checked).toMatchObject(options)
    expect(checked.libp2p).toBe(libp2p)
    expect(checked.routing.map(String)).toEqual(['https://routing.example/base', 'http://[::1]:1/'])
  })

  it('take the libp2p node of a Helia node', () => {
    const libp2p = {}
    expect(checkSpaceOptions({ helia: { libp2p } }).libp2p).toBe(libp2p)
  })

  it.each([
    ['libp2p beside helia', { libp2p: {}, helia: { libp2p: {} } }, 'not both'],
    ['a Helia node without libp2p', { helia: {} }, 'libp2p node'],
    ['a Helia node that is none', { helia: 5 }, 'libp2p node'],
    ['no Helia node', { helia: null }, 'libp2p node'],
    ['direct', { direct: 'yes' }, 'direct'],
    ['direct', { direct: null }, 'direct'],
    ['allowPrivateAddresses', { allowPrivateAddresses: 1 }, 'allowPrivateAddresses'],
    ['iceServers that are no list', { iceServers: turn }, 'iceServers'],
    ['iceServers that are URLs', { iceServers: ['stun:a.example:1'] }, 'iceServers'],
    ['an ICE server of another kind', { iceServers: [{ urls: 'https://a.example' }] }, 'iceServers'],
    ['an ICE server without an address', { iceServers: [{ urls: [] }] }, 'iceServers'],
    ['a TURN server without a credential', { iceServers: [{ urls: turn.urls, username: 'ada' }] }, 'turn:'],
    ['nothing as an ICE server', { iceServers: [null] }, 'iceServers'],
    ['delegatedRouting that is no list', { delegatedRouting: 'https://routing.example' }, 'delegatedRouting'],
    ['an endpoint that is no URL', { delegatedRouting: ['routing.example'] }, "'routing.example'"],
    [
      'an endpoint of another kind',
      { delegatedRouting: ['ftp://routing.example'] },
      "'ftp://routing.example'",
    ],
    ['an endpoint that is no text', { delegatedRouting: [5] }, "'5'"],
    ['nothing as an endpoint', { delegatedRouting: [null] }, "'null'"],
  ])('refuse %s, and say what is wrong', async (_what, options, says) => {
    expect(await codeOf(() => check(options))).toBe('invalid-option')
    expect(() => check(options)).toThrow(says)
  })
})
