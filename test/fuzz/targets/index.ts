import type { Target } from '../target.ts'
import { base64url } from './base64url.ts'
import { claims } from './claims.ts'
import { comparison } from './comparison.ts'
import { frame } from './frame.ts'
import { frameStreamTarget } from './frame-stream.ts'
import { gate } from './gate.ts'
import { gateVerified } from './gate-verified.ts'
import { http } from './http.ts'
import { ipAddress } from './ip-address.ts'
import { jwt } from './jwt.ts'
import { nodeAddress } from './node-address.ts'
import { nodeInfo } from './node-info.ts'
import { peerRecord } from './peer-record.ts'
import { protobuf } from './protobuf.ts'
import { reconciler } from './reconciler.ts'
import { rendezvous } from './rendezvous.ts'
import { rendezvousClient } from './rendezvous-client.ts'
import { rendezvousPoint } from './rendezvous-point.ts'
import { room } from './room.ts'
import { routingAnswer } from './routing-answer.ts'
import { stun } from './stun.ts'
import { sync } from './sync.ts'
import { timeline } from './timeline.ts'
import { topic } from './topic.ts'
import { wills } from './wills.ts'

/** Everything that takes bytes from strangers: from what is read alone to what is read as part of something larger. */
export const targets: readonly Target[] = [
  ...[
    frame,
    base64url,
    claims,
    jwt,
    topic,
    sync,
    protobuf,
    rendezvous,
    stun,
    nodeInfo,
    ipAddress,
    nodeAddress,
  ],
  ...[gate, gateVerified, room, timeline, reconciler, comparison, frameStreamTarget],
  ...[peerRecord, rendezvousPoint, rendezvousClient, wills, routingAnswer, http],
]

/** The target of this name. */
export function targetOf(name: string): Target | undefined {
  return targets.find((target) => target.name === name)
}
