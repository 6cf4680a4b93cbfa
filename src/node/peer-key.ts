import { join } from 'node:path'
import { generateKeyPair, privateKeyFromProtobuf, privateKeyToProtobuf } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { describe, GhostChatError } from '../errors.ts'
import { addSecret, readSecret } from '../runtime/node-secret-file.ts'

/**
 * The key behind the node's peer id: kept in the data directory, made at the
 * first start; a new one where there is no directory.
 *
 * @throws `node-failed` when it cannot be read or written
 */
export async function loadPeerKey(dataDir: string | undefined): Promise<PrivateKey> {
  if (dataDir === undefined) return generateKeyPair('Ed25519')
  const path = join(dataDir, 'peer.key')
  try {
    const kept =
      (await readSecret(path)) ??
      (await addSecret(path, privateKeyToProtobuf(await generateKeyPair('Ed25519'))))
    return privateKeyFromProtobuf(kept)
  } catch (cause) {
    throw new GhostChatError('node-failed', `unable to use the key file ${path}; ${describe(cause)}`, {
      cause,
    })
  }
}
