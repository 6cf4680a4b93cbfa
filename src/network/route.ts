/** Where a WebRTC connection begins and ends: the types of its ICE candidates (`host`, `srflx`, `prflx`, `relay`). */
export interface Route {
  local: string
  remote: string
}

/** `relayed` where a TURN server is in between. */
export function pathOf(route: Route | undefined): 'direct' | 'relayed' {
  return route?.local === 'relay' || route?.remote === 'relay' ? 'relayed' : 'direct'
}

/** The route of a connection, out of its statistics; nothing where the browser does not tell. Never rejects. */
export async function routeOf(connection: RTCPeerConnection): Promise<Route | undefined> {
  try {
    const stats = [...(await connection.getStats()).values()] as Stat[]
    const byId = new Map(stats.map((stat) => [stat.id, stat]))
    const transport = stats.find(({ type }) => type === 'transport')
    const pair =
      byId.get(transport?.selectedCandidatePairId ?? '') ??
      // Firefox has no transport statistics and marks the pair itself.
      stats.find(({ type, state, selected, nominated }) => {
        return type === 'candidate-pair' && state === 'succeeded' && (selected ?? nominated)
      })
    const local = byId.get(pair?.localCandidateId ?? '')?.candidateType
    const remote = byId.get(pair?.remoteCandidateId ?? '')?.candidateType
    return local === undefined || remote === undefined ? undefined : { local, remote }
  } catch {
    return undefined
  }
}

interface Stat {
  id: string
  type: string
  state?: string
  selected?: boolean
  nominated?: boolean
  selectedCandidatePairId?: string
  localCandidateId?: string
  remoteCandidateId?: string
  candidateType?: string
}
