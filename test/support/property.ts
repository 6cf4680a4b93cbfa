import fc from 'fast-check'
import { promptly } from './promptly.ts'

type Predicate<R> = (...args: unknown[]) => R

/** `fc.property`, where no input may take longer than 50 ms. */
export const property = ((...parts: unknown[]) => {
  const predicate = promptly(parts.pop() as Predicate<boolean>)
  return fc.property(...(parts as [fc.Arbitrary<unknown>]), predicate)
}) as typeof fc.property

/** `fc.asyncProperty`, likewise. */
export const asyncProperty = ((...parts: unknown[]) => {
  const predicate = promptly(parts.pop() as Predicate<Promise<boolean>>)
  return fc.asyncProperty(...(parts as [fc.Arbitrary<unknown>]), predicate)
}) as typeof fc.asyncProperty
