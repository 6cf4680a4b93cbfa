/** Where something stands in a room's log. */
export interface Place {
  readonly timestamp: number
  readonly author: string
  readonly id: string
}

/** The order all members see: by time, then author, then id. */
export function comparePlaces(a: Place, b: Place): number {
  return a.timestamp - b.timestamp || compareTexts(a.author, b.author) || compareTexts(a.id, b.id)
}

function compareTexts(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
