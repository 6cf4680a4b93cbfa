import { GhostChatError } from '../errors.ts'
import { TOPIC_MAX_BYTES } from '../limits.ts'

const PREFIX = '3box.chat.'

/**
 * The gossipsub topic of a room: `3box.chat.<space>.<room>`.
 *
 * Both names are percent-encoded, the dot included, so that two different pairs
 * of names never give the same topic. Names are compared code point by code
 * point: no case folding, no Unicode normalization.
 *
 * @throws `invalid-name` when a name is not text, is empty, is not well-formed
 * Unicode, or when the topic would be over 255 bytes.
 */
export function topicOf(space: string, room: string): string {
  const topic = `${PREFIX}${encodeName('space', space)}.${encodeName('room', room)}`
  if (topic.length > TOPIC_MAX_BYTES) {
    throw new GhostChatError(
      'invalid-name',
      `the names are too long: the topic of space and room together is ${topic.length} bytes, ${TOPIC_MAX_BYTES} are allowed (a character outside A-Z, a-z, 0-9, - and _ takes 3 or more)`,
    )
  }
  return topic
}

/** The names behind a topic, or `undefined` when it is not exactly what {@link topicOf} makes. */
export function parseTopic(topic: string): { space: string; room: string } | undefined {
  if (!topic.startsWith(PREFIX)) return undefined
  const [space, room, ...more] = topic.slice(PREFIX.length).split('.')
  if (space === undefined || room === undefined || more.length > 0) return undefined
  try {
    const names = { space: decodeURIComponent(space), room: decodeURIComponent(room) }
    return topicOf(names.space, names.room) === topic ? names : undefined
  } catch {
    return undefined
  }
}

function encodeName(what: string, name: unknown): string {
  if (typeof name !== 'string' || name === '') {
    throw new GhostChatError('invalid-name', `the ${what}'s name must be a text of at least one character`)
  }
  try {
    return encodeURIComponent(name).replace(/[.!~*'()]/g, escapeCharacter)
  } catch {
    throw new GhostChatError('invalid-name', `the ${what}'s name is not well-formed Unicode`)
  }
}

function escapeCharacter(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`
}
