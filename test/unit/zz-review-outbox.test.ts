import { it } from 'vitest'
import { Outbox } from '../../src/room/outbox.ts'
it('again skips large', async () => {
  const ev = (jwt: string) => ({ jwt, claims: { exp: 9e9 } }) as never
  const o = new Outbox({ publish: async () => 1, onFate: () => {}, now: () => Date.now() })
  const big = 'B'.repeat(15_000), small = 's'.repeat(300)
  for (const j of [small, big, 't'.repeat(300)]) await (await o.reserve()).fill(ev(j))
  const frames = o.again(ev('P'.repeat(1800))).map((f) => new TextDecoder().decode(f))
  console.log('FRAMES', frames.length, 'big in any:', frames.some((f) => f.includes(big)), frames.map((f) => f.split('\n').map((x) => x[0] + x.length)))
})
