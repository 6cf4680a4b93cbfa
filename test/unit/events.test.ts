import { beforeEach, describe, expect, it, vi } from 'vitest'
import { IsolatedEmitter } from '../../src/events.ts'

interface Events {
  one: (value: number) => void
  two: (value: number) => void
}

let failures: unknown[][]
let emitter: IsolatedEmitter<Events>

beforeEach(() => {
  failures = []
  emitter = new IsolatedEmitter<Events>((event, thrown) => failures.push([event, thrown]))
})

describe('listeners', () => {
  it('get what is emitted, in the order they came', () => {
    const heard: string[] = []
    emitter
      .on('one', (value) => heard.push(`first ${value}`))
      .addListener('one', (value) => heard.push(`second ${value}`))
    expect(emitter.emit('one', 1)).toBe(true)
    expect(emitter.emit('two', 2)).toBe(false)
    expect(heard).toEqual(['first 1', 'second 1'])
  })

  it('may be the same function on several events', () => {
    const fn = vi.fn()
    emitter.on('one', fn).on('two', fn)
    emitter.off('one', fn)
    emitter.emit('one', 1)
    emitter.emit('two', 2)
    expect(fn.mock.calls).toEqual([[2]])
    expect([emitter.listenerCount('one'), emitter.listenerCount('two')]).toEqual([0, 1])
  })

  it('added twice are called twice, and removed together', () => {
    const fn = vi.fn()
    emitter.on('one', fn).on('one', fn)
    emitter.emit('one', 1)
    expect(fn).toHaveBeenCalledTimes(2)
    emitter.off('one', fn)
    expect(emitter.listenerCount('one')).toBe(0)
  })

  it('added once are called once', () => {
    const fn = vi.fn()
    emitter.once('one', fn)
    emitter.emit('one', 1)
    emitter.emit('one', 2)
    expect(fn.mock.calls).toEqual([[1]])
  })

  it('added once can be removed before', () => {
    const fn = vi.fn()
    emitter.once('one', fn)
    emitter.removeListener('one', fn)
    expect(emitter.emit('one', 1)).toBe(false)
  })

  it('of off with the flag `once` are only those added once', () => {
    const fn = vi.fn()
    emitter.on('one', fn).once('one', fn)
    emitter.off('one', fn, undefined, true)
    emitter.emit('one', 1)
    emitter.emit('one', 2)
    expect(fn).toHaveBeenCalledTimes(2)
  })

  it('have the context they were given', () => {
    const contexts: unknown[] = []
    const fn = function (this: unknown): void {
      contexts.push(this)
    }
    const [a, b] = [{ name: 'a' }, { name: 'b' }]
    emitter.on('one', fn, a).on('one', fn, b)
    emitter.emit('one', 1)
    emitter.off('one', fn, a)
    emitter.emit('one', 2)
    emitter.on('two', fn)
    emitter.emit('two', 3)
    expect(contexts).toEqual([a, b, b, emitter])
  })

  it('are listed as they were added', () => {
    const [a, b] = [vi.fn(), vi.fn()]
    emitter.on('one', a).once('one', b).on('two', a)
    expect(emitter.listeners('one')).toEqual([a, b])
    expect(emitter.listeners('two')).toEqual([a])
    expect(emitter.eventNames()).toEqual(['one', 'two'])
    emitter.removeAllListeners('one')
    expect(emitter.listeners('one')).toEqual([])
  })

  it('of another emitter are left alone', () => {
    const other = new IsolatedEmitter<Events>(() => {})
    const fn = vi.fn()
    emitter.on('one', fn)
    other.on('one', fn)
    other.off('one', fn)
    emitter.emit('one', 1)
    expect(fn).toHaveBeenCalledTimes(1)
  })

  it('without a function are all of an event', () => {
    emitter.on('one', vi.fn()).on('one', vi.fn())
    emitter.off('one')
    expect(emitter.listenerCount('one')).toBe(0)
  })

  it('must be functions', () => {
    expect(() => emitter.on('one', undefined as never)).toThrow(TypeError)
    expect(() => emitter.on('one', 'listener' as never)).toThrow(TypeError)
  })
})

describe('a listener that fails', () => {
  const failure = new Error('no')

  it('by throwing harms nobody', () => {
    const after = vi.fn()
    emitter.on('one', () => {
      throw failure
    })
    emitter.on('one', after)
    expect(emitter.emit('one', 1)).toBe(true)
    expect(after).toHaveBeenCalledWith(1)
    expect(failures).toEqual([['one', failure]])
  })

  it('by rejecting harms nobody', async () => {
    emitter.on('one', (async () => Promise.reject(failure)) as never)
    emitter.emit('one', 1)
    await vi.waitFor(() => expect(failures).toEqual([['one', failure]]))
  })

  it('added once is removed all the same', () => {
    emitter.once('one', () => {
      throw failure
    })
    emitter.emit('one', 1)
    emitter.emit('one', 2)
    expect(failures).toHaveLength(1)
  })

  it('that removes the others does not disturb the turn', () => {
    const after = vi.fn()
    emitter.on('one', () => {
      emitter.removeAllListeners()
    })
    emitter.on('one', after)
    emitter.emit('one', 1)
    expect(after).toHaveBeenCalledTimes(1)
  })
})
