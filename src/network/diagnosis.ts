/** What works and what does not, and what to do about it. */
export interface Diagnosis {
  /** Whether messages get out: a node or another device is connected. */
  ok: boolean
  /** The transport id of this device. */
  peerId: string
  nodes: NodeDiagnosis[]
  direct: DirectDiagnosis
  /** The other devices in the rooms of this space. */
  peers: PeerDiagnosis[]
  /** What does not work, each with what to do about it. Empty when all is well. */
  problems: Problem[]
}

/** A node, as seen from this device. */
export interface NodeDiagnosis {
  /** As the application names it. */
  name: string
  state: 'connecting' | 'connected' | 'waiting'
  peerId?: string
  version?: string
  /** How long a ping takes, there and back, in milliseconds. */
  latencyMs?: number
  /** Whether others reach this device through the node. */
  isRelay: boolean
  /** This device's clock less the node's, in milliseconds: as much of it as is certain, however long the answer took. */
  clockOffsetMs?: number
  /** Why it is not connected. */
  reason?: string
  /** When the next attempt is made, in milliseconds since the Unix epoch. */
  nextAttemptAt?: number
}

/** How this device gets direct connections. */
export interface DirectDiagnosis {
  /** Whether the application lets them be made (the option `direct`). */
  isWanted: boolean
  /** Whether there is WebRTC here. */
  isAvailable: boolean
  /** The STUN and TURN servers that are asked. */
  iceServers: string[]
  /** Those of them that gave nothing: a STUN server no answer, a TURN server no relay. */
  silentServers: string[]
  /** Whether one of them answered: UDP gets out of this network. */
  hasAnswer: boolean
  /** The outside address of this device, as they see it: IP address and port. Not told where it is one of the device's own. */
  outsideAddress?: string
  /** Whether a TURN server granted a relay. */
  hasRelay: boolean
  /** How many direct connections there are. */
  connections: number
}

/** Another device, and the way to it. */
export interface PeerDiagnosis {
  peerId: string
  /** Whose device it is. */
  did: string
  /** The names of the rooms it is in. */
  rooms: string[]
  /** `direct`: from device to device; `relayed`: through a TURN server; `node`: through the nodes. */
  path: 'direct' | 'relayed' | 'node'
  /** Where the direct connection begins and ends, in ICE's terms: `host`, `srflx`, `prflx` or `relay`. */
  candidates?: { local: string; remote: string }
  /** How long a ping over the direct connection takes, there and back, in milliseconds. */
  latencyMs?: number
}

/** Something that does not work. */
export interface Problem {
  code:
    | 'no-nodes'
    | 'node-unreachable'
    | 'no-relay'
    | 'clock-skew'
    | 'no-webrtc'
    | 'no-stun-answer'
    | 'no-turn-answer'
  /** What is wrong. */
  message: string
  /** What to do about it. */
  advice: string
}

/** A device of the rooms, before anything is known of the way to it. */
export type DiagnosedDevice = Pick<PeerDiagnosis, 'peerId' | 'did' | 'rooms'>
