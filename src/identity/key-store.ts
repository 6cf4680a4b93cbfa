/**
 * A kept key: the platform's own non-extractable key where WebCrypto knows
 * Ed25519 and the store can hold it, else the 32-byte seed.
 */
export type StoredKey =
  | { kind: 'key'; privateKey: CryptoKey; publicKey: Uint8Array<ArrayBuffer> }
  | { kind: 'seed'; seed: Uint8Array<ArrayBuffer> }

/** Where the key of each space is kept between visits. */
export interface KeyStore {
  /** Whether a `CryptoKey` can be kept, or only a seed. */
  readonly keepsCryptoKeys: boolean
  /** The key of a space, or `undefined` where none is kept yet. */
  load(space: string): Promise<StoredKey | undefined>
  /**
   * Keeps `key` for a space that has none. Answers the key that is kept
   * afterwards: another tab or process may have been faster.
   */
  add(space: string, key: StoredKey): Promise<StoredKey>
}
