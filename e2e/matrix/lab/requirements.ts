import { run } from '../../support/shell.ts'
import { runName } from './run-name.ts'

/** What the laboratory runs, and the Debian package that has it. `scripts/setup.mjs` installs the same. */
const TOOLS = {
  ip: 'iproute2',
  nft: 'nftables',
  setpriv: 'util-linux',
  openssl: 'openssl',
  turnserver: 'coturn',
  nginx: 'nginx',
  WebKitWebDriver: 'webkit2gtk-driver',
  Xvfb: 'xvfb',
}

/** Why there can be no laboratory here, or `undefined` where there can be one. */
export async function whyNoLaboratory(): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'it needs Linux'
  if (process.getuid?.() !== 0) return 'it needs root, to make network namespaces'
  const missing: string[] = []
  for (const [tool, debianPackage] of Object.entries(TOOLS)) {
    await run('sh', ['-c', `command -v ${tool}`]).catch(() => missing.push(debianPackage))
  }
  if (missing.length > 0) return `it needs ${missing.join(', ')} (npm run setup -- --browsers, on Debian)`
  const name = `${runName()}-probe`
  try {
    await run('ip', ['netns', 'add', name])
    await run('ip', ['netns', 'exec', name, 'nft', '-f', '-'], { input: 'table ip probe {}\n' })
    return undefined
  } catch (thrown) {
    const [, reason = String(thrown)] = String(thrown).split('\n')
    return `network namespaces cannot be made here: ${reason}`
  } finally {
    await run('ip', ['netns', 'delete', name]).catch(() => {})
  }
}
