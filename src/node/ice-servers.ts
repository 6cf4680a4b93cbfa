import { createHmac } from 'node:crypto'
import type { Clock } from '../clock.ts'
import { type IceServer, isTurnUrl } from '../wire/node-info.ts'

/** How long TURN credentials hold. Clients ask for new ones when theirs are ten minutes old. */
const CREDENTIAL_TTL_S = 60 * 60

/**
 * The servers a node tells its clients of. TURN credentials are made afresh for
 * each who asks, of the secret the TURN server shares: the name is the time they
 * end, the password its HMAC-SHA1 (draft-uberti-behave-turn-rest-00, as coturn's
 * `use-auth-secret` has it).
 */
export function iceServers(urls: readonly string[], secret: string | undefined, clock: Clock): IceServer[] {
  return urls.map((url) =>
    isTurnUrl(url) ? { urls: url, ...credentials(secret ?? '', clock) } : { urls: url },
  )
}

function credentials(secret: string, clock: Clock): { username: string; credential: string } {
  const username = String(Math.floor(clock.now() / 1000) + CREDENTIAL_TTL_S)
  return { username, credential: createHmac('sha1', secret).update(username).digest('base64') }
}
