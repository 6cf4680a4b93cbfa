import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** The content of a secret file, or `undefined` where there is none. */
export async function readSecret(path: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    return new Uint8Array(await readFile(path))
  } catch (thrown) {
    if (isCode(thrown, 'ENOENT')) return undefined
    throw thrown
  }
}

/**
 * Makes a secret file that only its owner can read (mode 0600), unless there is
 * one. Answers what it holds afterwards. It is written beside its place and
 * linked there: never half a file, and of two processes that come at once, one
 * finds the other's.
 */
export async function addSecret(path: string, content: Uint8Array): Promise<Uint8Array> {
  const directory = dirname(path)
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const draft = join(directory, `.${crypto.randomUUID()}.tmp`)
  await writeFile(draft, content, { mode: 0o600, flag: 'wx' })
  try {
    await link(draft, path)
    return content
  } catch (thrown) {
    const kept = isCode(thrown, 'EEXIST') ? await readSecret(path) : undefined
    if (kept !== undefined) return kept
    throw thrown
  } finally {
    await rm(draft, { force: true })
  }
}

function isCode(thrown: unknown, code: string): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === code
}
