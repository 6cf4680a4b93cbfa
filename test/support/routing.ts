import {
  createServer,
  request as httpRequest,
  type IncomingHttpHeaders,
  type RequestListener,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ComponentLogger, Logger } from '@libp2p/interface'
import { ed25519 } from '@noble/curves/ed25519.js'
import { base58btc } from 'multiformats/bases/base58'
import type { CID } from 'multiformats/cid'
import type { PeerDirectory, PeerEntry } from '../../src/node/routing/peer-directory.ts'
import { testAuthor } from './authors.ts'

/** A peer id that is a key, always the same for a number: an identity multihash of a protobuf that holds it. */
export function realPeerId(number: number): string {
  const key = ed25519.getPublicKey(testAuthor(number).seed)
  return base58btc.baseEncode(Uint8Array.of(0x00, 36, 0x08, 0x01, 0x12, 32, ...key))
}

/** A directory in memory. */
export class TestDirectory implements PeerDirectory {
  readonly #providers = new Map<string, PeerEntry[]>()
  readonly #peers = new Map<string, PeerEntry>()

  provide(cid: CID, ...entries: PeerEntry[]): void {
    this.#providers.set(keyOf(cid), entries)
    for (const entry of entries) this.#peers.set(entry.peerId, entry)
  }

  providers(cid: CID): PeerEntry[] {
    return this.#providers.get(keyOf(cid)) ?? []
  }

  peer(peerId: string): PeerEntry | undefined {
    return this.#peers.get(peerId)
  }
}

function keyOf(cid: CID): string {
  return Buffer.from(cid.multihash.bytes).toString('hex')
}

/** An HTTP server on a free port of this machine. */
export async function listen(listener: RequestListener): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  return { url: `http://127.0.0.1:${port}`, close }
}

/** Sends a request exactly as it is written: `fetch` would tidy up its path. */
export function requestRaw(
  url: string,
  options: { path: string; method?: string; headers?: Record<string, string> },
): Promise<{ status: number; headers: IncomingHttpHeaders; body: string }> {
  return new Promise((resolve, reject) => {
    httpRequest(url, options, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => {
        const body = Buffer.concat(chunks).toString()
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body })
      })
    })
      .on('error', reject)
      .end()
  })
}

/** What a libp2p component logs to when nobody listens. */
export function silentComponents(): { logger: ComponentLogger } {
  const log: Logger = Object.assign(() => {}, {
    enabled: false,
    error: () => {},
    trace: () => {},
    newScope: () => log,
  })
  return { logger: { forComponent: () => log } }
}
