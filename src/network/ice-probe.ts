import { type IceServer, isTurnUrl } from '../wire/node-info.ts'

/** What ICE found on this device. */
export interface IceProbe {
  /** The URLs of the servers that were asked. */
  servers: string[]
  /** Those of them that gave nothing: a STUN server no answer, a TURN server no relay. */
  silent: string[]
  /** Whether one of the servers answered. */
  hasAnswer: boolean
  /** The outside address of this device, as a server sees it: IP address and port. Not told where it is one of the device's own. */
  outsideAddress?: string
  /** Whether a TURN server granted a relay. */
  hasRelay: boolean
}

/** What came of asking one server. */
type Answer = Pick<IceProbe, 'hasAnswer' | 'outsideAddress' | 'hasRelay'>

/**
 * Gathers ICE candidates as a direct connection would, and looks at what comes:
 * an answer of a STUN server proves that UDP gets out of this network. Each server
 * is asked by itself: of several, WebRTC in Node asks one.
 */
export async function probeIce(
  PeerConnection: typeof RTCPeerConnection,
  iceServers: readonly IceServer[],
  signal: AbortSignal,
): Promise<IceProbe> {
  const servers = singly(iceServers)
  const answers = await Promise.all(servers.map((server) => ask(PeerConnection, server, signal)))
  const outsideAddress = answers.find((answer) => answer.outsideAddress !== undefined)?.outsideAddress
  const urls = servers.map((server) => server.urls)
  return {
    servers: urls,
    silent: urls.filter((url, index) => !answers[index]?.[isTurnUrl(url) ? 'hasRelay' : 'hasAnswer']),
    hasAnswer: answers.some(({ hasAnswer }) => hasAnswer),
    hasRelay: answers.some(({ hasRelay }) => hasRelay),
    ...(outsideAddress !== undefined && { outsideAddress }),
  }
}

/**
 * Those of the servers that WebRTC takes here: one that it refuses, it refuses with all others. In Node that is any at an
 * IPv6 address, and STUN over TLS.
 */
export function acceptable(
  PeerConnection: typeof RTCPeerConnection,
  iceServers: readonly IceServer[],
): readonly IceServer[] {
  const isTaken = (servers: readonly IceServer[]): boolean => {
    const connection = open(PeerConnection, servers)
    connection?.close()
    return connection !== undefined
  }
  return isTaken(iceServers) ? iceServers : singly(iceServers).filter((server) => isTaken([server]))
}

function singly(iceServers: readonly IceServer[]) {
  return iceServers.flatMap((server) => [server.urls].flat().map((urls) => ({ ...server, urls })))
}

/** A connection with these servers; nothing where WebRTC refuses one of them. */
function open(
  PeerConnection: typeof RTCPeerConnection,
  iceServers: readonly IceServer[],
): RTCPeerConnection | undefined {
  try {
    // Copies: WebRTC in Node writes into them.
    return new PeerConnection({ iceServers: iceServers.map((server) => ({ ...server })) as RTCIceServer[] })
  } catch {
    return undefined
  }
}

async function ask(
  PeerConnection: typeof RTCPeerConnection,
  server: IceServer & { urls: string },
  signal: AbortSignal,
): Promise<Answer> {
  const answer: Answer = { hasAnswer: false, hasRelay: false }
  const connection = open(PeerConnection, [server])
  if (connection === undefined) return answer
  connection.createDataChannel('')
  let hasFailed = false
  try {
    await new Promise<void>((resolve, reject) => {
      signal.addEventListener('abort', () => resolve(), { once: true })
      if (signal.aborted) resolve()
      const gathered = new Promise<void>((done) => {
        connection.onicecandidate = ({ candidate }) => {
          if (candidate === null) done()
          else note(answer, candidate.candidate)
        }
        connection.onicegatheringstatechange = () => {
          if (connection.iceGatheringState === 'complete') done()
        }
      })
      connection.onicecandidateerror = () => {
        hasFailed = true
      }
      const begun = connection.createOffer().then((offer) => connection.setLocalDescription(offer))
      // WebRTC in Node begins by itself, and may be done before.
      Promise.all([gathered, begun]).then(() => resolve(), reject)
    })
    // An address that is one of the device's own is left out; then gathering that ends without waiting is the sign.
    // Not of TURN: over TCP it is not asked at all in Node, which ends at once.
    const isDone = connection.iceGatheringState === 'complete' && !isTurnUrl(server.urls)
    answer.hasAnswer = answer.outsideAddress !== undefined || answer.hasRelay || (isDone && !hasFailed)
  } finally {
    connection.close()
  }
  return answer
}

/** An ICE candidate: foundation, component, protocol, priority, address, port, `typ`, type (RFC 8839 §5.1). */
function note(answer: Answer, candidate: string): void {
  const [, , , , address = '', port = '', , type] = candidate.split(' ')
  if (type === 'relay') answer.hasRelay = true
  if (type !== 'srflx') return
  answer.outsideAddress ??= address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}
