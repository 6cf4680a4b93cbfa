import type { End, Link } from './api.ts'

/** The fields of an RTCStatsReport's entries that are read here. */
interface Entry {
  id: string
  type: string
  selectedCandidatePairId?: string
  selected?: boolean
  localCandidateId?: string
  remoteCandidateId?: string
  candidateType?: End['type']
  protocol?: string
  address?: string | null
}

/** What the browser says about each connection the page made and did not close. */
export function readLinks(): Promise<Link[]> {
  const open = window.madeConnections.filter(({ connectionState }) => connectionState !== 'closed')
  return Promise.all(open.map(readLink))
}

async function readLink(connection: RTCPeerConnection): Promise<Link> {
  const entries = new Map<string, Entry>()
  for (const [id, entry] of await connection.getStats()) entries.set(id, entry)
  const { connectionState: state } = connection
  const all = [...entries.values()]
  const selected = all.find(
    ({ type, selectedCandidatePairId }) => type === 'transport' && selectedCandidatePairId,
  )
  const pair =
    entries.get(selected?.selectedCandidatePairId ?? '') ??
    all.find(({ type, selected: isSelected }) => type === 'candidate-pair' && isSelected)
  const local = endOf(entries.get(pair?.localCandidateId ?? ''))
  const remote = endOf(entries.get(pair?.remoteCandidateId ?? ''))
  return state === 'connected' && local && remote ? { state, pair: { local, remote } } : { state }
}

function endOf(entry: Entry | undefined): End | undefined {
  if (entry?.candidateType === undefined) return undefined
  return { type: entry.candidateType, protocol: entry.protocol ?? '', address: entry.address ?? '' }
}
