const DEFAULT_ROOM = 'lobby'

/** The room a URL's hash names, `lobby` when it names none. */
export function roomOfHash(hash: string): string {
  const name = decode(hash.replace(/^#/, '')).normalize('NFC').trim()
  return name === '' ? DEFAULT_ROOM : name
}

/** The hash for a room. */
export function hashOfRoom(room: string): string {
  return `#${encodeURIComponent(room)}`
}

/** A link for others to the room: with the same nodes, but not with the visitor's own way to be somebody. */
export function inviteLink(page: string, room: string): string {
  const link = new URL(page)
  link.searchParams.delete('identity')
  link.hash = hashOfRoom(room)
  return link.href
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
