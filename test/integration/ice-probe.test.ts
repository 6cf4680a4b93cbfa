import { expect, test } from 'vitest'
import { silentLogger } from '../../src/logger.ts'
import { probeIce } from '../../src/network/ice-probe.ts'
import { createStunServer } from '../../src/node/stun-server.ts'
import { PeerConnection } from '../../src/runtime/webrtc-node.ts'
import { atEnd } from '../support/resources.ts'

test('a probe asks each of several STUN servers', async () => {
  const servers = await Promise.all(
    [1, 2].map(() => createStunServer({ host: '127.0.0.1', port: 0, logger: silentLogger })),
  )
  for (const server of servers) atEnd(() => server.stop())
  const iceServers = servers.map(({ port }) => ({ urls: `stun:127.0.0.1:${port}` }))
  const probe = await probeIce(
    PeerConnection as unknown as typeof RTCPeerConnection,
    iceServers,
    AbortSignal.timeout(5_000),
  )
  expect(probe).toMatchObject({ servers: iceServers.map(({ urls }) => urls), silent: [] })
  expect(servers.map(({ answered }) => answered > 0)).toEqual([true, true])
})
