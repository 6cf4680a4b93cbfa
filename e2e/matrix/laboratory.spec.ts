import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from '@playwright/test'
import { run } from '../support/shell.ts'
import { Laboratory } from './lab/laboratory.ts'
import { namespaceNames } from './lab/namespace.ts'
import type { HostName } from './lab/topology.ts'
import { test } from './matrix-test.ts'
import { connectPlainly } from './plain-webrtc.ts'
import { wayBetween } from './way.ts'

// Plain WebRTC, without GhostChat: what the other tests show means something only if the networks are what they are called.

/** A pair of browsers that WebRTC is tried between. */
interface Attempt {
  chromium: HostName
  firefox: HostName
  iceServers?: RTCIceServer[]
}

async function attempt(lab: Laboratory, { chromium, firefox, iceServers = [] }: Attempt) {
  const [one, other] = await Promise.all([
    lab.host(chromium).open('chromium'),
    lab.host(firefox).open('firefox'),
  ])
  return { outcome: await connectPlainly(one, other, iceServers), way: await wayBetween(one, other) }
}

test('browsers on one machine, and in one LAN, connect from host to host and need no server', async ({
  lab,
}) => {
  for (const firefox of ['office-1', 'office-2'] as const) {
    expect(await attempt(lab, { chromium: 'office-1', firefox })).toEqual({ outcome: 'open', way: 'host' })
  }
})

test('browsers behind two cone NATs connect at their outside addresses, given a STUN server', async ({
  lab,
}) => {
  const { stunUrl } = await lab.services.turn()
  const iceServers = [{ urls: stunUrl }]
  expect(await attempt(lab, { chromium: 'office-1', firefox: 'home-1', iceServers })).toEqual({
    outcome: 'open',
    way: 'nat',
  })
})

test('browsers behind two symmetric NATs connect through a TURN server', async ({ lab }) => {
  const turn = await lab.services.turn()
  const iceServers = [{ urls: turn.turnUrl, ...turn.credentials() }]
  expect(await attempt(lab, { chromium: 'phone-1', firefox: 'cafe-1', iceServers })).toEqual({
    outcome: 'open',
    way: 'turn',
  })
})

test('no WebRTC crosses cone NATs without STUN, symmetric NATs with STUN, or a network without UDP', async ({
  lab,
}) => {
  const turn = await lab.services.turn()
  const stun = [{ urls: turn.stunUrl }]
  const relay = [...stun, { urls: turn.turnUrl, ...turn.credentials() }]
  const attempts: Attempt[] = [
    { chromium: 'office-1', firefox: 'home-1' },
    { chromium: 'phone-1', firefox: 'cafe-1', iceServers: stun },
    { chromium: 'hotel-1', firefox: 'home-1', iceServers: stun },
    { chromium: 'hotel-1', firefox: 'home-1', iceServers: relay },
  ]
  const results = await Promise.all(attempts.map((pair) => attempt(lab, pair)))
  expect(results).toEqual(attempts.map(() => ({ outcome: 'failed', way: 'node' })))
})

test('WebKitGTK has no WebRTC', async ({ lab }) => {
  const tab = await lab.host('office-2').open('webkit')
  expect(await tab.do('hasWebRtc')).toBe(false)
})

test('what a killed run left is removed, and what a living one uses is not', async ({ lab: _ }) => {
  const dead = spawn('true')
  const { pid } = dead
  await once(dead, 'exit')
  const left = `ghostchat-lab-${pid}-0-machine`
  const folder = join(tmpdir(), `ghostchat-lab-${pid}-0`)
  await run('ip', ['netns', 'add', left])
  await mkdir(join(folder, 'page'), { recursive: true })
  const running = spawn('ip', ['netns', 'exec', left, 'sleep', 'infinity'])
  const ended = once(running, 'exit')
  await once(running, 'spawn')
  const before = await namespaceNames()
  await Laboratory.removeLeftovers()
  expect(await namespaceNames()).toEqual(before.filter((name) => name !== left))
  expect(existsSync(folder)).toBe(false)
  expect(await ended).toEqual([null, 'SIGKILL'])
})
