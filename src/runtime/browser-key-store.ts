import type { KeyStore, StoredKey } from '../identity/key-store.ts'

const DATABASE = 'ghostchat'
const STORE = 'keys'

/** Keeps keys in IndexedDB, as keys that no script can read out. */
export function createIndexedDbKeyStore(): KeyStore {
  return {
    keepsCryptoKeys: true,
    async load(space) {
      const database = await openDatabase()
      try {
        return await done<StoredKey | undefined>(database.transaction(STORE).objectStore(STORE).get(space))
      } finally {
        database.close()
      }
    },
    async add(space, key) {
      const database = await openDatabase()
      try {
        // One transaction: of two tabs that come at once, one finds the other's key.
        const store = database.transaction(STORE, 'readwrite').objectStore(STORE)
        const kept = await done<StoredKey | undefined>(store.get(space))
        if (kept !== undefined) return kept
        await done(store.add(key, space))
        return key
      } finally {
        database.close()
      }
    },
  }
}

function openDatabase(): Promise<IDBDatabase> {
  const request = indexedDB.open(DATABASE, 1)
  request.onupgradeneeded = () => request.result.createObjectStore(STORE)
  return done(request)
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error ?? new Error('IndexedDB failed'))
  })
}
