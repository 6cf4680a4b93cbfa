import { GhostChatError } from '../../../src/errors.ts'
import { TOPIC_MAX_BYTES } from '../../../src/limits.ts'
import { parseTopic, topicOf } from '../../../src/wire/topic.ts'
import { bytesOf, textOf } from '../support/input.ts'
import { promise, type Target } from '../target.ts'

/** The topic of a room; and two names, which give one or an error that says why not. */
export const topic: Target = {
  name: 'topic',
  run(input) {
    const text = textOf(input)
    const names = parseTopic(text)
    if (names !== undefined) {
      promise(topicOf(names.space, names.room) === text, 'a room has one topic')
      promise(bytesOf(text).length <= TOPIC_MAX_BYTES, 'a topic is 255 bytes at the most')
    }
    const [space = '', room = ''] = text.split('\n')
    try {
      const made = topicOf(space, room)
      const read = parseTopic(made)
      promise(read?.space === space && read.room === room, 'a topic has the names it was made of')
    } catch (thrown) {
      promise(
        thrown instanceof GhostChatError && thrown.code === 'invalid-name',
        `only invalid-name: ${thrown}`,
      )
    }
  },
  seeds: () =>
    [topicOf('space', 'room'), topicOf('a.b', 'ü %'), 'space\nroom', '3box.chat.a.%2', '🦊\n.'].map(bytesOf),
  words: ['3box.chat.', '%2E', '%', '.', '\n', '%F0%9F%A6%8A'],
  maxBytes: 300,
  runs: 1_200_000,
}
