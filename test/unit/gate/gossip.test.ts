import { ManualClock } from 'ghostchat/testing'
import { beforeEach, describe, expect, it } from 'vitest'
import { Gate } from '../../../src/gate/gate.ts'
import { admitGossip } from '../../../src/gate/gossip.ts'
import { createVerifier } from '../../../src/identity/verifier.ts'
import { encodeFrame } from '../../../src/wire/frame.ts'
import { claimsBy, messageBy, NOW, signClaims, TOPIC, testAuthor } from '../../support/authors.ts'

const ada = testAuthor(1)
const verifier = createVerifier()
let gate: Gate

beforeEach(() => {
  gate = new Gate({ topic: TOPIC, clock: new ManualClock(NOW), verifier })
})

async function said(...jwts: string[]): Promise<[string, number]> {
  const { verdict, events } = await admitGossip(gate, encodeFrame(jwts))
  return [verdict, events.length]
}

const fresh = (): string => messageBy(ada, 'fresh').jwt
const expired = (): string => messageBy(ada, 'old', { at: NOW - 86_400_000 }).jwt
const early = (): string => messageBy(ada, 'early', { at: NOW + 90_000 }).jwt
const forged = (): string => signClaims(testAuthor(2), claimsBy(ada, 'message', { text: 'forged' }))

describe('admitGossip', () => {
  it('passes on what is new', async () => {
    expect(await said(fresh())).toEqual(['accept', 1])
    expect(await said(fresh(), fresh(), fresh())).toEqual(['accept', 3])
  })

  it('passes on what is new beside what was accepted before', async () => {
    const known = fresh()
    await said(known)
    expect(await said(known, fresh())).toEqual(['accept', 1])
  })

  it('drops what is known altogether, and blames nobody', async () => {
    const known = [fresh(), fresh()]
    await said(...known)
    expect(await said(...known)).toEqual(['ignore', 0])
  })

  it.each([
    ['expired', expired],
    ['in the future', early],
  ])('passes nothing on beside an event that is %s: it was not verified', async (_what, other) => {
    expect(await said(other())).toEqual(['ignore', 0])
    expect(await said(fresh(), other())).toEqual(['ignore', 1])
  })

  it('passes an event on, once, that was remembered from a message that went no further', async () => {
    const right = fresh()
    expect(await said(right, expired())).toEqual(['ignore', 1])
    expect(await said(right, early())).toEqual(['ignore', 0])
    expect(await said(right)).toEqual(['accept', 0])
    expect(await said(right)).toEqual(['ignore', 0])
    expect(await said(right, fresh())).toEqual(['accept', 1])
  })

  it('passes an event on, once, that was known from the history', async () => {
    const right = fresh()
    expect(await gate.admit(right, 'history')).toMatchObject({ verdict: 'accept' })
    expect(await said(right)).toEqual(['accept', 0])
    expect(await said(right)).toEqual(['ignore', 0])
  })

  it('takes nothing out of a message with a forgery', async () => {
    const right = fresh()
    expect(await said(right, forged())).toEqual(['reject', 0])
    expect(await said(forged(), expired(), right)).toEqual(['reject', 0])
    expect(await said(right)).toEqual(['accept', 1])
  })

  it.each([
    ['nothing', new Uint8Array()],
    ['bytes that are not UTF-8', new Uint8Array([0xff])],
    ['33 KiB', new Uint8Array(33 * 1024).fill(0x61)],
    ['a text', new TextEncoder().encode('hello')],
    ['JSON', new TextEncoder().encode('{"type":"message"}')],
  ])('rejects %s', async (_what, data) => {
    expect(await admitGossip(gate, data)).toEqual({ verdict: 'reject', events: [] })
  })

  it('rejects 65 events and the same event twice in a message', async () => {
    const one = fresh()
    expect(await said(one, one)).toEqual(['reject', 0])
    expect(await said(...Array.from({ length: 65 }, fresh))).toEqual(['reject', 0])
  })
})
