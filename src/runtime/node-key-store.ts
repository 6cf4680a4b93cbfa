import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { KeyStore, StoredKey } from '../identity/key-store.ts'

/** `$GHOSTCHAT_HOME`, else `ghostchat` in the user's data directory. */
export function dataDirectory(environment: NodeJS.ProcessEnv = process.env): string {
  const { GHOSTCHAT_HOME, XDG_DATA_HOME } = environment
  return GHOSTCHAT_HOME || join(XDG_DATA_HOME || join(homedir(), '.local', 'share'), 'ghostchat')
}

/** Keeps the seed of each space in a file that only its owner can read (mode 0600). */
export function createFileKeyStore(directory = join(dataDirectory(), 'keys')): KeyStore {
  const pathOf = (space: string): string => join(directory, `${encodeURIComponent(space)}.key`)
  return {
    keepsCryptoKeys: false,
    load: (space) => readKey(pathOf(space)),
    async add(space, key) {
      if (key.kind !== 'seed') throw new Error('only a seed can be kept in a file')
      await mkdir(directory, { recursive: true, mode: 0o700 })
      // Written beside its place and linked there: never half a file, and of two
      // processes that come at once, one finds the other's key.
      const draft = join(directory, `.${crypto.randomUUID()}.tmp`)
      await writeFile(draft, `${Buffer.from(key.seed).toString('hex')}\n`, { mode: 0o600, flag: 'wx' })
      try {
        await link(draft, pathOf(space))
        return key
      } catch (thrown) {
        const kept = isCode(thrown, 'EEXIST') ? await readKey(pathOf(space)) : undefined
        if (kept !== undefined) return kept
        throw thrown
      } finally {
        await rm(draft, { force: true })
      }
    },
  }
}

async function readKey(path: string): Promise<StoredKey | undefined> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (thrown) {
    if (isCode(thrown, 'ENOENT')) return undefined
    throw thrown
  }
  if (!/^[0-9a-f]{64}\n?$/.test(text)) throw new Error(`the file ${path} does not hold a key`)
  return { kind: 'seed', seed: new Uint8Array(Buffer.from(text.trim(), 'hex')) }
}

function isCode(thrown: unknown, code: string): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === code
}
