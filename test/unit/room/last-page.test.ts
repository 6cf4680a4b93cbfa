import { afterEach, beforeEach, expect, it } from 'vitest'
import { World } from '../../support/world.ts'

let world: World

beforeEach(() => {
  world = new World()
})
afterEach(() => world.close())

it.each([2, 5, 10])(
  'who asks for all of the history is told soon that nothing is missing: %s people',
  async (count) => {
    const people = []
    for (let number = 0; number < count; number += 1) people.push(await world.visit())
    const [ada] = people
    const sent = []
    for (let number = 0; number < 150; number += 1) {
      const message = await ada?.chat.send(`${number}`)
      if (message !== undefined) sent.push(message)
      await world.pass(10)
    }
    await world.pass(5_000)
    await ada?.chat.delete(sent[10]?.id ?? '')
    await world.pass(120_000)
    const bob = await world.visit({ backlogLimit: 20 })
    await world.pass(20_000)
    expect(bob.heard('recovered').at(-1)?.[1]).toBe(true)
    const asking = bob.chat.requestBacklog({ limit: 140 })
    await world.pass(1_000)
    expect(await asking).toHaveLength(140)
    await world.pass(30_000)
    expect(bob.heard('recovered').at(-1)?.[1]).toBe(true)
  },
)
