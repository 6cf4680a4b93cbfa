import { describe, expect, it } from 'vitest'
import { Message } from '../../../src/room/message.ts'
import { Visibility } from '../../../src/room/visibility.ts'
import { messageBy, testAuthor } from '../../support/authors.ts'

const ada = testAuthor(1)
const message = new Message(messageBy(ada, 'hello'), 'sent')

describe('visibility', () => {
  const open = (): { visibility: Visibility; failures: unknown[] } => {
    const failures: unknown[] = []
    return { failures, visibility: new Visibility((thrown) => failures.push(thrown)) }
  }

  it('shows what every filter lets through', () => {
    const { visibility } = open()
    expect(visibility.shows(message)).toBe(true)
    const offYes = visibility.addFilter(() => true)
    const offNo = visibility.addFilter(({ text }) => text !== 'hello')
    expect(visibility.shows(message)).toBe(false)
    offNo()
    expect(visibility.shows(message)).toBe(true)
    offYes()
    offYes()
  })

  it('shows nothing that a filter answers a promise to, and says why', async () => {
    const { visibility, failures } = open()
    visibility.addFilter((async () => {
      throw new Error('unhandled')
    }) as unknown as () => boolean)
    expect(visibility.shows(message)).toBe(false)
    await new Promise((resolve) => setImmediate(resolve))
    expect(failures).toMatchObject([{ message: 'a filter answers at once, and no promise' }])
  })

  it('takes the same filter twice, and removes it once at a time', () => {
    const { visibility } = open()
    const no = (): boolean => false
    const off = visibility.addFilter(no)
    visibility.addFilter(no)
    off()
    expect(visibility.shows(message)).toBe(false)
  })

  it('hides a message whose filter throws, and says so', () => {
    const { visibility, failures } = open()
    const failure = new Error('no')
    visibility.addFilter(() => {
      throw failure
    })
    expect(visibility.shows(message)).toBe(false)
    expect(failures).toEqual([failure])
  })

  it('hides who is muted, without asking a filter', () => {
    const { visibility, failures } = open()
    visibility.addFilter(() => {
      throw new Error('asked')
    })
    visibility.mute(ada.did)
    expect(visibility.isMuted(ada.did)).toBe(true)
    expect(visibility.shows(message)).toBe(false)
    expect(failures).toEqual([])
    visibility.unmute(ada.did)
    expect(visibility.isMuted(ada.did)).toBe(false)
  })
})
