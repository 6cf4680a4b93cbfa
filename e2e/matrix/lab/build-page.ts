import { copyFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const MARKUP = new URL('../page/index.html', import.meta.url)
const SCRIPTS = [new URL('../page/probe.ts', import.meta.url), new URL('../page/main.ts', import.meta.url)]

/** Bundles the page of the laboratory from the built package, as an application would. */
export async function buildLabPage(outdir: string): Promise<void> {
  await mkdir(outdir, { recursive: true })
  await copyFile(MARKUP, join(outdir, 'index.html'))
  await build({
    entryPoints: SCRIPTS.map((url) => fileURLToPath(url)),
    bundle: true,
    splitting: true,
    format: 'esm',
    outdir,
    logLevel: 'warning',
    // Without the paths of tsconfig.json, which lead to `src`.
    tsconfigRaw: {},
  })
}
