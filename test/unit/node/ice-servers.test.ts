import { createHmac } from 'node:crypto'
import { ManualClock } from 'ghostchat/testing'
import { describe, expect, it } from 'vitest'
import { iceServers } from '../../../src/node/ice-servers.ts'
import { isIceServer } from '../../../src/wire/node-info.ts'
import { NOW } from '../../support/authors.ts'

const TURN = 'turn:turn.example:3478?transport=udp'
const TURNS = 'turns:turn.example:5349'
const CAPITALS = 'TURN:turn.example:3478'
const STUN = 'stun:stun.example:3478'
const HOUR_MS = 60 * 60_000

describe('the ICE servers of a node', () => {
  it('are those it was told of, with credentials for TURN and without for STUN', () => {
    const servers = iceServers([STUN, TURN, TURNS, CAPITALS], 'secret', new ManualClock(NOW))
    expect(servers.map(({ urls }) => urls)).toEqual([STUN, TURN, TURNS, CAPITALS])
    expect(servers[0]).toEqual({ urls: STUN })
    expect(servers[1]).toMatchObject({ username: expect.any(String), credential: expect.any(String) })
    expect(servers[2]).toMatchObject({ credential: servers[1]?.credential })
    expect(servers[3]).toMatchObject({ credential: servers[1]?.credential })
    expect(servers.every(isIceServer)).toBe(true)
  })

  // What coturn computes for `use-auth-secret`: base64(HMAC-SHA1(secret, username)), the username being the time it ends.
  it('have the credentials a TURN server computes from the same secret', () => {
    const [server] = iceServers([TURN], 'north', new ManualClock(1_433_895_918_506))
    expect(server).toEqual({
      urls: TURN,
      username: '1433899518',
      credential: createHmac('sha1', 'north').update('1433899518').digest('base64'),
    })
    expect(server?.credential).toBe('Bc7vu8UPh4yuoPNnI2t7LF9z8BE=')
  })

  it('have credentials that hold for an hour from now, made anew for each who asks', async () => {
    const clock = new ManualClock(NOW)
    const [first] = iceServers([TURN], 'secret', clock)
    expect(Number(first?.username) * 1000).toBe(NOW + HOUR_MS)
    await clock.advance(1_000)
    const [second] = iceServers([TURN], 'secret', clock)
    expect(Number(second?.username) * 1000).toBe(NOW + 1_000 + HOUR_MS)
    expect(second?.credential).not.toBe(first?.credential)
    expect(iceServers([TURN], 'another secret', clock)[0]?.credential).not.toBe(second?.credential)
  })

  it('are none where it was told of none', () => {
    expect(iceServers([], undefined, new ManualClock(NOW))).toEqual([])
  })
})
