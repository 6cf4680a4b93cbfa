import { mkdirSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type Plugin } from 'esbuild'
import { CACHE } from './jazzer.ts'
import type { Target } from './target.ts'

/** A part of the paths of all bundles: these files are instrumented, and nothing else. */
export const BUNDLES = 'ghostchat-fuzz/bundles'

/**
 * A target as one CommonJS file, which Jazzer.js instruments when it is required:
 * our own code and the packages that the target names. All others stay outside.
 * Answers where it is.
 */
export async function bundle({ name, instrumented = [] }: Target): Promise<string> {
  const folder = join(CACHE, 'bundles')
  mkdirSync(folder, { recursive: true })
  const outfile = join(folder, `${name}.cjs`)
  await build({
    entryPoints: [fileURLToPath(new URL(`./targets/${name}.ts`, import.meta.url))],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node22',
    sourcemap: 'inline',
    logLevel: 'error',
    plugins: [external(instrumented)],
  })
  return outfile
}

/** What stays outside is required by the path of its file: most of it has no entry for `require`. */
function external(inside: readonly string[]): Plugin {
  return {
    name: 'external',
    setup({ onResolve, resolve }) {
      onResolve({ filter: /^[^./]/ }, async ({ path, kind, resolveDir, pluginData }) => {
        const isInside = inside.some((name) => path === name || path.startsWith(`${name}/`))
        if (kind === 'entry-point' || isInside || pluginData === ASKED) return undefined
        if (isBuiltin(path)) return { path, external: true }
        const found = await resolve(path, { kind: 'import-statement', resolveDir, pluginData: ASKED })
        return { path: found.path, external: true, errors: found.errors }
      })
    },
  }
}

/** Marks a question of our own. */
const ASKED = Symbol('asked')
