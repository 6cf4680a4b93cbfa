import type { IceServer } from '../wire/node-info.ts'

/** What ICE found on this device. */
export interface IceProbe {
  /** The URLs of the servers that were asked. */
  servers: string[]
  /** Whether the servers answered. */
  hasAnswer: boolean
  /** The outside address of this device, as a server sees it: IP address and port. Not told where it is one of the device's own. */
  outsideAddress?: string
  /** Whether a TURN server granted a relay. */
  hasRelay: boolean
}

/**
 * Gathers ICE candidates as a direct connection would, and looks at what comes:
 * an answer of a STUN server proves that UDP gets out of this network.
 */
export async function probeIce(
  PeerConnection: typeof RTCPeerConnection,
  iceServers: readonly IceServer[],
  signal: AbortSignal,
): Promise<IceProbe> {
  const probe: IceProbe = {
    servers: iceServers.flatMap(({ urls }) => urls),
    hasAnswer: false,
    hasRelay: false,
  }
  const connection = new PeerConnection({ iceServers: iceServers as RTCIceServer[] })
  connection.createDataChannel('')
  let hasFailed = false
  try {
    await new Promise<void>((resolve, reject) => {
      signal.addEventListener('abort', () => resolve(), { once: true })
      if (signal.aborted) resolve()
      connection.onicecandidate = ({ candidate }) => {
        if (candidate === null) resolve()
        else note(probe, candidate.candidate)
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
    const isAsked = probe.servers.length > 0
    probe.hasAnswer = probe.outsideAddress !== undefined || (isAsked && isDone && !hasFailed)
  } finally {
    connection.close()
  }
  return probe
}

/** An ICE candidate: foundation, component, protocol, priority, address, port, `typ`, type (RFC 8839 §5.1). */
function note(probe: IceProbe, candidate: string): void {
  const [, , , , address = '', port = '', , type] = candidate.split(' ')
  if (type === 'relay') probe.hasRelay = true
  if (type !== 'srflx') return
  probe.outsideAddress ??= address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}
