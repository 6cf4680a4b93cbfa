import { describe, expect, it } from 'vitest'
import { pathOf, routeOf } from '../../../src/network/route.ts'

type Stat = { id: string; type: string } & Record<string, unknown>

/** A connection of a browser with these statistics. */
function connectionWith(...stats: Stat[]): RTCPeerConnection {
  const report = new Map(stats.map((stat) => [stat.id, stat]))
  return { getStats: async () => report } as unknown as RTCPeerConnection
}

const local = { id: 'L', type: 'local-candidate', candidateType: 'srflx' }
const remote = { id: 'R', type: 'remote-candidate', candidateType: 'prflx' }
const pair = { id: 'P', type: 'candidate-pair', localCandidateId: 'L', remoteCandidateId: 'R' }
const wrong = { id: 'W', type: 'candidate-pair', localCandidateId: 'R', remoteCandidateId: 'L' }
const transport = { id: 'T', type: 'transport', selectedCandidatePairId: 'P' }

describe('the route of a direct connection', () => {
  it('is that of the pair the transport names', async () => {
    const connection = connectionWith(
      { ...wrong, state: 'succeeded', nominated: true },
      transport,
      pair,
      local,
      remote,
    )
    expect(await routeOf(connection)).toEqual({ local: 'srflx', remote: 'prflx' })
  })

  it.each([
    ['selected', { state: 'succeeded', selected: true }],
    ['nominated', { state: 'succeeded', nominated: true }],
  ])(
    'is that of the pair which is marked itself, where no transport is told of: %s',
    async (_mark, marks) => {
      const others = [
        { ...wrong, state: 'succeeded', selected: false, nominated: true },
        { ...wrong, id: 'W2', state: 'failed', selected: true, nominated: true },
      ]
      const connection = connectionWith(...others, { ...pair, ...marks }, local, remote)
      expect(await routeOf(connection)).toEqual({ local: 'srflx', remote: 'prflx' })
    },
  )

  it.each([
    ['there are no statistics', []],
    ['the pair is gone', [transport, local, remote]],
    ['a candidate is gone', [transport, pair, local]],
    ['no pair has succeeded', [{ ...pair, state: 'in-progress', nominated: true }, local, remote]],
  ])('is not known when %s', async (_why, stats) => {
    expect(await routeOf(connectionWith(...(stats as Stat[])))).toBeUndefined()
  })

  it('is not known when the connection does not tell', async () => {
    const connection = { getStats: async () => Promise.reject(new Error('closed')) }
    expect(await routeOf(connection as unknown as RTCPeerConnection)).toBeUndefined()
  })
})

describe('the path of a route', () => {
  it.each([
    [{ local: 'host', remote: 'srflx' }, 'direct'],
    [{ local: 'relay', remote: 'host' }, 'relayed'],
    [{ local: 'prflx', remote: 'relay' }, 'relayed'],
    [undefined, 'direct'],
  ])('of %j is %s', (route, path) => {
    expect(pathOf(route)).toBe(path)
  })
})
