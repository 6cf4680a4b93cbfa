import type { IdentityOption } from 'ghostchat'

/** What the page is told from outside. */
export interface Settings {
  /** The GhostNodes to use. */
  nodes: string[]
  identity: Extract<IdentityOption, string>
}

/**
 * The nodes are those of `?node=<url>` (as often as wanted), else those of the `config.json` beside the page.
 * `?identity=ephemeral` makes each tab a user of its own.
 */
export async function readSettings(search: string): Promise<Settings> {
  const query = new URLSearchParams(search)
  const named = query.getAll('node').filter((node) => node !== '')
  return {
    nodes: named.length > 0 ? named : await configuredNodes(),
    identity: query.get('identity') === 'ephemeral' ? 'ephemeral' : 'stored',
  }
}

async function configuredNodes(): Promise<string[]> {
  const response = await fetch('config.json').catch(() => undefined)
  if (response?.ok !== true) return []
  const config: unknown = await response.json().catch(() => undefined)
  if (typeof config !== 'object' || config === null || !('nodes' in config)) return []
  return Array.isArray(config.nodes) ? config.nodes.filter((node) => typeof node === 'string') : []
}
