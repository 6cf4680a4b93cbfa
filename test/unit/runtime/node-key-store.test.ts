import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openIdentity } from '../../../src/identity/identity.ts'
import { createFileKeyStore, dataDirectory } from '../../../src/runtime/node-key-store.ts'
import { codeOf } from '../../support/world.ts'

let root: string
let directory: string

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'ghostchat-keys-'))
  directory = join(root, 'deep', 'keys')
})
afterEach(() => rm(root, { recursive: true, force: true }))

const seed = (byte: number): { kind: 'seed'; seed: Uint8Array<ArrayBuffer> } => ({
  kind: 'seed',
  seed: new Uint8Array(32).fill(byte),
})

describe('the key store in files', () => {
  it('keeps a key that only its owner can read', async () => {
    const store = createFileKeyStore(directory)
    expect(await store.load('dapp')).toBeUndefined()
    expect(await store.add('dapp', seed(1))).toEqual(seed(1))
    expect(await store.load('dapp')).toEqual(seed(1))
    expect((await stat(join(directory, 'dapp.key'))).mode & 0o777).toBe(0o600)
    expect((await stat(directory)).mode & 0o777).toBe(0o700)
    expect(await readFile(join(directory, 'dapp.key'), 'utf8')).toBe(`${'01'.repeat(32)}\n`)
  })

  it('leaves nothing else behind', async () => {
    const store = createFileKeyStore(directory)
    await store.add('dapp', seed(1))
    await store.add('dapp', seed(2))
    expect(await readdir(directory)).toEqual(['dapp.key'])
  })

  it('keeps the first of the keys that come at once', async () => {
    const added = await Promise.all(
      Array.from({ length: 16 }, (_, byte) => createFileKeyStore(directory).add('dapp', seed(byte))),
    )
    const kept = await createFileKeyStore(directory).load('dapp')
    expect(added).toEqual(added.map(() => kept))
  })

  it('stays inside its directory, and tells spaces apart', async () => {
    const store = createFileKeyStore(directory)
    const names = ['../evil', '..', '.', 'a/b', 'a\\b', 'a.b', 'a%2Eb', 'nul\u0000', 'é', '-']
    for (const [index, name] of names.entries()) await store.add(name, seed(index))
    for (const [index, name] of names.entries()) expect(await store.load(name)).toEqual(seed(index))
    expect(await readdir(directory)).toHaveLength(names.length)
    expect(await readdir(join(root, 'deep'))).toEqual(['keys'])
  })

  it('refuses a key it cannot write', async () => {
    const pair = (await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify'])) as CryptoKeyPair
    const key = { kind: 'key' as const, privateKey: pair.privateKey, publicKey: new Uint8Array(32) }
    await expect(createFileKeyStore(directory).add('dapp', key)).rejects.toThrow('only a seed')
  })

  it.each([
    ['nothing', ''],
    ['half a key', '01'.repeat(16)],
    ['capitals', 'AB'.repeat(32)],
    ['something behind it', `${'01'.repeat(32)}\nx`],
    ['bytes that are no text', '\u0000\u0001'],
  ])('says which file is broken when it holds %s', async (_what, content) => {
    await mkdir(directory, { recursive: true })
    const path = join(directory, 'dapp.key')
    await writeFile(path, content)
    const opening = openIdentity('stored', 'dapp', () => createFileKeyStore(directory))
    await expect(opening).rejects.toMatchObject({
      code: 'key-store-failed',
      message: expect.stringContaining(path) as string,
    })
    expect(await readFile(path, 'utf8')).toBe(content)
  })

  it('tells that a file is where its directory should be', async () => {
    await writeFile(join(root, 'deep'), '')
    expect(await codeOf(() => openIdentity('stored', 'dapp', () => createFileKeyStore(directory)))).toBe(
      'key-store-failed',
    )
  })
})

describe('the file of a space', () => {
  it('is another one for every name, also where the file system ignores case', async () => {
    const names = [
      'dapp',
      'Dapp',
      'DAPP',
      'd.app',
      'd%2eapp',
      'd/app',
      '..',
      'é',
      'e\u0301',
      'x'.repeat(242),
      'X'.repeat(242),
    ]
    const dids = await Promise.all(
      names.map(
        async (name) => (await openIdentity('stored', name, () => createFileKeyStore(directory))).did,
      ),
    )
    expect(new Set(dids).size).toBe(names.length)
    const files = await readdir(directory)
    expect(new Set(files.map((file) => file.toLowerCase())).size).toBe(names.length)
    expect(Math.max(...files.map((file) => file.length))).toBeLessThanOrEqual(255)
  })
})

describe('the data directory', () => {
  it('is where the environment says', () => {
    expect(dataDirectory({ GHOSTCHAT_HOME: '/a', XDG_DATA_HOME: '/b' })).toBe('/a')
    expect(dataDirectory({ XDG_DATA_HOME: '/b' })).toBe('/b/ghostchat')
    expect(dataDirectory({ GHOSTCHAT_HOME: '', XDG_DATA_HOME: '' })).toBe(
      join(homedir(), '.local/share/ghostchat'),
    )
  })
})
