import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const FINDINGS = new URL('./findings/', import.meta.url)

/** Where the inputs of a target are kept: one a line, in base64, so that git shows what comes and goes. */
function fileOf(target: string): URL {
  return new URL(`./corpus/${target}.txt`, import.meta.url)
}

/** Where an input is kept that broke a promise; it stays there when it does so no longer. */
export function findingFile(target: string, hash: string): string {
  return fileURLToPath(new URL(`${target}.${hash}.txt`, FINDINGS))
}

/** The kept inputs of a target: together they reach what fuzzing has reached, and among them is all that was found. */
export function keptInputs(target: string): Uint8Array[] {
  const found = readdirSync(FINDINGS).filter((name) => name.startsWith(`${target}.`))
  const files = [fileOf(target), ...found.map((name) => new URL(name, FINDINGS))]
  return files.filter((file) => existsSync(file)).flatMap(readInputs)
}

/** Keeps these inputs of a target and no others. */
export function keepInputs(target: string, inputs: readonly Uint8Array[]): void {
  writeInputs(fileOf(target), inputs)
}

/** The inputs in a file of such lines. */
export function readInputs(file: string | URL): Uint8Array[] {
  const lines = readFileSync(file, 'latin1').split('\n')
  lines.pop()
  return lines.map((line) => new Uint8Array(Buffer.from(line, 'base64')))
}

/** Writes them, shortest first. */
export function writeInputs(file: string | URL, inputs: readonly Uint8Array[]): void {
  const lines = inputs.map((input) => Buffer.from(input).toString('base64'))
  const sorted = [...new Set(lines)].sort((a, b) => a.length - b.length || (a < b ? -1 : 1))
  writeFileSync(file, sorted.map((line) => `${line}\n`).join(''))
}
