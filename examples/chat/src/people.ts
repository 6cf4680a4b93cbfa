import type { Member } from 'ghostchat'
import { cleanName } from './display-name.ts'

/** Somebody whose name is not known. */
const NOBODY = 'Ghost'

/** Who is who, as far as this page has heard: those who left keep the name they had. */
export class People {
  readonly #names = new Map<string, string>()

  /** Notes the name a member shows of itself. Answers whether that is news. */
  learn(member: Member): boolean {
    const { did, presence } = member
    const name = typeof presence['name'] === 'string' ? cleanName(presence['name']) : ''
    if (name === '' || this.#names.get(did) === name) return false
    this.#names.set(did, name)
    return true
  }

  nameOf(did: string): string {
    return this.#names.get(did) ?? NOBODY
  }
}
