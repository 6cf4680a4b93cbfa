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
  const servers = iceServers.flatMap((server) => [server.urls].flat().map((urls) => ({ ...server, urls })))
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

async function ask(
  PeerConnection: typeof RTCPeerConnection,
  server: IceServer,
  signal: AbortSignal,
): Promise<Answer> {
  const answer: Answer = { hasAnswer: false, hasRelay: false }
  // A copy: WebRTC in Node writes into it.
  const connection = new PeerConnection({ iceServers: [{ ...server }] })
  connection.createDataChannel('')
  let hasFailed = false
  try {
    await new Promise<void>((resolve, reject) => {
      signal.addEventListener('abort', () => resolve(), { once: true })
      if (signal.aborted) resolve()
      connection.onicecandidate = ({ candidate }) => {
        if (candidate === null) resolve()
        else note(answer, candidate.candidate)
      }
      connection.onicegatheringstatechange = () => {
        if (connection.iceGatheringState === 'complete') resolve()
      }
      connection.onicecandidateerror = () => {
        hasFailed = true
      }
      connection
        .createOffer()
        .then((offer) => connection.setLocalDescription(offer))
        .catch(reject)
    })
    // An address that is one of the device's own is left out; then gathering that ends without waiting is the sign.
    const isDone = connection.iceGatheringState === 'complete'
    answer.hasAnswer = answer.outsideAddress !== undefined || (isDone && !hasFailed)
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
