import { createHash } from 'node:crypto'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { KeyStore, StoredKey } from '../identity/key-store.ts'
import { addSecret, readSecret } from './node-secret-file.ts'

/** `$GHOSTCHAT_HOME`, else `ghostchat` in the user's data directory. */
export function dataDirectory(environment: NodeJS.ProcessEnv = process.env): string {
  const { GHOSTCHAT_HOME, XDG_DATA_HOME } = environment
  return GHOSTCHAT_HOME || join(XDG_DATA_HOME || join(homedir(), '.local', 'share'), 'ghostchat')
}

/** Keeps the seed of each space in a file, in hexadecimal. */
export function createFileKeyStore(directory = join(dataDirectory(), 'keys')): KeyStore {
  const pathOf = (space: string): string => join(directory, `${fileNameOf(space)}.key`)
  return {
    keepsCryptoKeys: false,
    async load(space) {
      const content = await readSecret(pathOf(space))
      return content && parse(content, pathOf(space))
    },
    async add(space, key) {
      if (key.kind !== 'seed') throw new Error('only a seed can be kept in a file')
      const content = Buffer.from(`${Buffer.from(key.seed).toString('hex')}\n`)
      return parse(await addSecret(pathOf(space), content), pathOf(space))
    },
  }
}

function parse(content: Uint8Array, path: string): StoredKey {
  const text = Buffer.from(content).toString('latin1')
  if (!/^[0-9a-f]{64}\n?$/.test(text)) throw new Error(`the file ${path} does not hold a key`)
  return { kind: 'seed', seed: new Uint8Array(Buffer.from(text.trim(), 'hex')) }
}

/** The longest name that is written out; file systems allow 255 bytes. */
const NAME_MAX = 200

/** Lower-case letters, digits and `-_` as they are, all else escaped: no two names meet, whatever the file system. */
function fileNameOf(space: string): string {
  const escaped = [...Buffer.from(space)].map(escapeByte).join('')
  return escaped.length <= NAME_MAX ? escaped : `%%${createHash('sha256').update(space).digest('hex')}`
}

function escapeByte(byte: number): string {
  const character = String.fromCharCode(byte)
  return /[a-z0-9_-]/.test(character) ? character : `%${byte.toString(16).padStart(2, '0')}`
}
