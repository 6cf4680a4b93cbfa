import { createHash } from 'node:crypto'
import { relative } from 'node:path'
import { findingFile, writeInputs } from './corpus.ts'

/** An input that breaks a promise, and how. */
export interface Finding {
  input: number[]
  thrown: string
}

/** Keeps a finding of a target, from then on a part of its corpus. Answers what is wrong, and how to see it again. */
export function keepFinding(target: string, { input, thrown }: Finding): string {
  const bytes = Uint8Array.from(input)
  const file = findingFile(target, createHash('sha256').update(bytes).digest('hex').slice(0, 12))
  writeInputs(file, [bytes])
  const path = relative(process.cwd(), file)
  return `${thrown}\nkept in ${path}; again: npm run fuzz -- ${target} --replay ${path}`
}
