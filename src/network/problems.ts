import { FUTURE_MS } from '../limits.ts'
import { isTurnUrl } from '../wire/node-info.ts'
import type { Diagnosis, NodeDiagnosis, Problem } from './diagnosis.ts'

/** What is wrong, and what to do about it. */
export function problemsOf(findings: Omit<Diagnosis, 'problems'>): Problem[] {
  const { nodes, direct } = findings
  const problems = nodes.flatMap(nodeProblems)
  if (nodes.length === 0 && direct.connections === 0) {
    problems.push({
      code: 'no-nodes',
      message: 'no node was named, and nobody is connected',
      advice: "name a GhostNode: openSpace(name, { nodes: ['https://…'] }); `npx ghostchat node` runs one",
    })
  }
  if (!direct.isWanted) return problems
  if (!direct.isAvailable) {
    problems.push({
      code: 'no-webrtc',
      message: 'there are no direct connections from here',
      advice:
        'messages go through the nodes, which works; for direct connections use a browser with WebRTC, or in Node install node-datachannel, and leave the option `direct` on',
    })
    return problems
  }
  const silentStun = direct.silentServers.filter((url) => !isTurnUrl(url))
  if (silentStun.length > 0) {
    problems.push({
      code: 'no-stun-answer',
      message: `no answer from ${silentStun.join(', ')}`,
      advice: direct.hasAnswer
        ? 'others answer; open the UDP port of the node, or leave the server out'
        : 'direct connections only work within this network: let UDP out of it, or open the UDP port of the node; messages go through the nodes meanwhile',
    })
  }
  const silentTurn = direct.silentServers.filter(isTurnUrl)
  if (silentTurn.length > 0) {
    problems.push({
      code: 'no-turn-answer',
      message: `no relay from ${silentTurn.join(', ')}`,
      advice: 'check that the TURN server runs, and that it shares its secret with the node',
    })
  }
  return problems
}

function nodeProblems(node: NodeDiagnosis): Problem[] {
  const { name, state, reason, isRelay, clockOffsetMs = 0 } = node
  const problems: Problem[] = []
  if (state !== 'connected') {
    problems.push({
      code: 'node-unreachable',
      message: `the node ${name} is not connected${reason === undefined ? '' : `: ${reason}`}`,
      advice:
        'check that it runs and that its address is right; a page served over https reaches https nodes only',
    })
  } else if (!isRelay) {
    problems.push({
      code: 'no-relay',
      message: `the node ${name} gives this device no relay reservation`,
      advice:
        'others cannot open streams to this device: raise maxReservations or maxReservationsPerIp of the node, or name a second node',
    })
  }
  if (Math.abs(clockOffsetMs) >= FUTURE_MS / 2) {
    problems.push({
      code: 'clock-skew',
      message: `this clock is ${Math.round(clockOffsetMs / 1000)} s off that of the node ${name}`,
      advice: 'set the clock: others may not see what is sent from here',
    })
  }
  return problems
}
