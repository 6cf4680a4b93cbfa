import { settle, turn } from 'ghostchat/testing'
import { describe, expect, it } from 'vitest'
import { cryptoWork } from '../../../src/crypto-work.ts'
import { openIdentity } from '../../../src/identity/identity.ts'
import { createVerifier } from '../../../src/identity/verifier.ts'
import { toBase64url } from '../../../src/wire/base64url.ts'

const noStore = (): never => {
  throw new Error('an ephemeral identity needs no store')
}

/** Something that ends in another thread, much later than the next turns of this one. */
const later = (): Promise<void> => new Promise((resolve) => void setTimeout(resolve, 60))

describe('settle', () => {
  it('waits for cryptography, and for what begins when it ends, however long it takes', async () => {
    const ended: string[] = []
    void cryptoWork.track(later()).then(async () => {
      ended.push('signed')
      await turn()
      await cryptoWork.track(later())
      ended.push('verified')
    })
    await settle()
    expect(ended).toEqual(['signed', 'verified'])
  })

  it('does not wait for what failed', async () => {
    const work = cryptoWork.track(Promise.reject(new Error('no such key')))
    await expect(work).rejects.toThrow('no such key')
    await settle()
    expect(await cryptoWork.rest()).toBe(true)
  })

  it('knows of the signatures and verifications of identities', async () => {
    const { did, signer } = await openIdentity('ephemeral', 'space', noStore)
    const signing = signer('a text')
    expect(await cryptoWork.rest()).toBe(false)
    const text = await signing
    const signature = new Uint8Array(64)
    expect(text).not.toBe(toBase64url(signature))
    const verifier = createVerifier()
    const data = new TextEncoder().encode('a text')
    // The key is checked and imported the first time; then the signature is all there is to do.
    for (const what of ['key', 'signature']) {
      let verdict: boolean | undefined
      void verifier.verify(did, data, signature).then((answer) => {
        verdict = answer
      })
      for (let step = 0; step < 10; step += 1) await Promise.resolve()
      expect([what, await cryptoWork.rest()]).toEqual([what, false])
      await settle()
      expect(verdict).toBe(false)
    }
  })
})

describe('a turn', () => {
  it('lets every promise go on that can, one after the other', async () => {
    let steps = 0
    const walk = async (): Promise<void> => {
      for (; steps < 1_000; steps += 1) await Promise.resolve()
    }
    void walk()
    await turn()
    expect(steps).toBe(1_000)
  })
})
