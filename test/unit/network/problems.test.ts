import { describe, expect, it } from 'vitest'
import type { DirectDiagnosis, NodeDiagnosis } from '../../../src/network/diagnosis.ts'
import { problemsOf } from '../../../src/network/problems.ts'
import { checkOptions } from '../../../src/node/options.ts'
import { testPeerId } from '../../support/authors.ts'

const node: NodeDiagnosis = { name: 'https://node.example', state: 'connected', isRelay: true }
const direct: DirectDiagnosis = {
  isWanted: true,
  isAvailable: true,
  iceServers: ['stun:node.example:8787', 'turn:turn.example:3478'],
  silentServers: [],
  hasAnswer: true,
  hasRelay: true,
  connections: 2,
}

function problems(found: { nodes?: Partial<NodeDiagnosis>[]; direct?: Partial<DirectDiagnosis> } = {}): {
  codes: string[]
  messages: string
  advice: string
} {
  const nodes = (found.nodes ?? [{}]).map((known) => ({ ...node, ...known }))
  const findings = {
    ok: true,
    peerId: testPeerId(1),
    nodes,
    direct: { ...direct, ...found.direct },
    peers: [],
  }
  const all = problemsOf(findings)
  for (const { advice } of all) expect(advice.length).toBeGreaterThan(10)
  return {
    codes: all.map(({ code }) => code),
    messages: all.map(({ message }) => message).join('\n'),
    advice: all.map(({ advice }) => advice).join('\n'),
  }
}

describe('the problems of a diagnosis', () => {
  it('are none when all is well', () => {
    expect(problems().codes).toEqual([])
  })

  it('name a node that is not connected, and why', () => {
    const waiting = { state: 'waiting', reason: 'the port is closed', isRelay: false } as const
    const { codes, messages } = problems({ nodes: [waiting, {}] })
    expect(codes).toEqual(['node-unreachable'])
    expect(messages).toBe('the node https://node.example is not connected: the port is closed')
    expect(problems({ nodes: [{ state: 'connecting', isRelay: false }] }).messages).toBe(
      'the node https://node.example is not connected',
    )
  })

  it('name a node that gives no reservation', () => {
    expect(problems({ nodes: [{ isRelay: false }] }).codes).toEqual(['no-relay'])
  })

  it('advise to raise what a node has: options of `createGhostNode`, and none of a command line', () => {
    const findings = {
      ok: true,
      peerId: testPeerId(1),
      nodes: [{ ...node, isRelay: false }],
      direct,
      peers: [],
    }
    const [problem] = problemsOf(findings)
    const names = problem?.advice.match(/max\w+/g) ?? []
    expect(names).not.toEqual([])
    for (const name of names) expect(checkOptions({})).toHaveProperty(name)
    expect(problem?.advice).not.toContain('--')
  })

  it.each([
    [30_000, ['clock-skew']],
    [-30_000, ['clock-skew']],
    [29_999, []],
    [-29_999, []],
  ])('name a clock from half a minute off: %i ms', (clockOffsetMs, codes) => {
    expect(problems({ nodes: [{ clockOffsetMs }] }).codes).toEqual(codes)
  })

  it('say that there are no nodes, where nobody is connected otherwise', () => {
    expect(problems({ nodes: [], direct: { connections: 0 } }).codes).toEqual(['no-nodes'])
    expect(problems({ nodes: [], direct: { connections: 1 } }).codes).toEqual([])
  })

  it('say that there are no direct connections, and nothing of servers for them', () => {
    const nothing = { isAvailable: false, hasAnswer: false, hasRelay: false, connections: 0 }
    expect(problems({ direct: nothing }).codes).toEqual(['no-webrtc'])
  })

  it('name the servers that do not answer', () => {
    const servers = ['stun:node.example:8787', 'turn:turn.example:3478']
    const silent = problems({ direct: { hasAnswer: false, hasRelay: false, silentServers: servers } })
    expect(silent.codes).toEqual(['no-stun-answer', 'no-turn-answer'])
    expect(silent.messages).toBe(
      'no answer from stun:node.example:8787\nno relay from turn:turn.example:3478',
    )
    const silentServers = ['stuns:a.example:1', 'turns:b.example:2']
    expect(problems({ direct: { silentServers } }).codes).toHaveLength(2)
    const [turn] = silentServers.slice(1)
    expect(problems({ direct: { silentServers: [turn ?? ''] } }).codes).toEqual(['no-turn-answer'])
  })

  it('do not say that UDP does not get out where another server answers', () => {
    const silentServers = ['stun:gone.example:8787']
    expect(problems({ direct: { silentServers } }).advice).toMatch(/^others answer/)
    expect(problems({ direct: { silentServers, hasAnswer: false } }).advice).toMatch(
      /^direct connections only/,
    )
  })
})
