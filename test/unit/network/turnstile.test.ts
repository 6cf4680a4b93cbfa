import { describe, expect, it } from 'vitest'
import { Turnstile } from '../../../src/network/turnstile.ts'
import { settles } from '../../support/world.ts'

const never = new AbortController().signal

describe('a turnstile', () => {
  it('lets two through for each key, the next when one leaves, in line', async () => {
    const turnstile = new Turnstile(2)
    const [first] = [await turnstile.enter('a', never), await turnstile.enter('a', never)]
    const order: number[] = []
    const third = turnstile.enter('a', never).then((leave) => {
      order.push(3)
      return leave
    })
    const fourth = turnstile.enter('a', never).then((leave) => {
      order.push(4)
      return leave
    })
    expect(await settles(third)).toBe(false)
    expect(await settles(turnstile.enter('b', never))).toBe(true)
    first()
    first()
    expect(await settles(third)).toBe(true)
    expect(await settles(fourth)).toBe(false)
    ;(await third)()
    expect(await settles(fourth)).toBe(true)
    expect(order).toEqual([3, 4])
  })

  it('loses no place to somebody who gives up', async () => {
    const turnstile = new Turnstile(1)
    const leave = await turnstile.enter('a', never)
    const controller = new AbortController()
    const impatient = turnstile.enter('a', controller.signal)
    const patient = turnstile.enter('a', never)
    controller.abort(new Error('never mind'))
    await expect(impatient).rejects.toThrow('never mind')
    leave()
    expect(await settles(patient)).toBe(true)
    await expect(turnstile.enter('a', AbortSignal.abort(new Error('too late')))).rejects.toThrow('too late')
  })
})
