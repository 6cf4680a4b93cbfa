import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type BrowserType, chromium, expect, firefox, test } from '@playwright/test'
import { build } from 'esbuild'
import { serveStatic } from '../scripts/static-server.mjs'
import { didOf } from '../src/identity/did-key.ts'
import { keyVectors, signatureVectors } from '../test/support/ed25519-vectors.ts'
import { chromiumLaunch, firefoxLaunch } from './support/browsers.ts'

/**
 * Every engine must say the same of every signature, or rooms fall apart: what one
 * peer forwards another would punish it for. The same vectors run on Node, and
 * on noble, in the unit tests.
 */
const KEYS = keyVectors(20)
const SIGNATURES = signatureVectors(5).map((vector) => ({
  ...vector,
  did: didOf(new Uint8Array(Buffer.from(vector.key, 'hex'))),
}))

/** What the page answers. */
interface Verdicts {
  /** Whether the engine has Ed25519 and X25519 itself; a page that has not would only test noble. */
  native: boolean[]
  keys: boolean[]
  signatures: boolean[]
}

const PAGE = `
import { isPrimeOrder } from './prime-order.ts'
import { createVerifier } from './verifier.ts'
import { supportsEd25519, supportsX25519 } from './webcrypto.ts'

const bytes = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (byte) => parseInt(byte, 16))

globalThis.judge = async (keys, signatures) => {
  const verifier = createVerifier()
  const verdicts = { native: [await supportsEd25519(), await supportsX25519()], keys: [], signatures: [] }
  for (const { key } of keys) verdicts.keys.push(await isPrimeOrder(bytes(key)))
  for (const { did, message, signature } of signatures) {
    verdicts.signatures.push(await verifier.verify(did, bytes(message), bytes(signature)))
  }
  return verdicts
}
`

const ENGINES: [name: string, browserType: BrowserType, options: object][] = [
  ['Chromium', chromium, chromiumLaunch],
  ['Firefox', firefox, firefoxLaunch],
]
let site: { url: string; close(): Promise<void> }
let directory: string

test.beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ghostchat-signatures-'))
  await writeFile(
    join(directory, 'index.html'),
    '<!doctype html><script type="module" src="page.js"></script>',
  )
  await build({
    stdin: { contents: PAGE, resolveDir: fileURLToPath(new URL('../src/identity', import.meta.url)) },
    bundle: true,
    format: 'esm',
    outfile: join(directory, 'page.js'),
  })
  site = await serveStatic({ directory })
})

test.afterAll(async () => {
  await site.close()
  await rm(directory, { recursive: true, force: true })
})

for (const [name, browserType, options] of ENGINES) {
  test(`${name} says of every key and every signature what the wire demands`, async () => {
    const browser = await browserType.launch(options)
    const page = await browser.newPage()
    await page.goto(site.url)
    const verdicts = await page.evaluate(
      ([keys, signatures]) =>
        (globalThis as unknown as { judge(keys: unknown, signatures: unknown): Promise<Verdicts> }).judge(
          keys,
          signatures,
        ),
      [KEYS, SIGNATURES] as const,
    )
    await browser.close()
    expect(verdicts.native).toEqual([true, true])
    expect(KEYS.filter(({ usable }, index) => verdicts.keys[index] !== usable)).toEqual([])
    expect(SIGNATURES.filter(({ valid }, index) => verdicts.signatures[index] !== valid)).toEqual([])
  })
}
