import type { DeviceStorage } from '../device-storage.ts'

/* The few parts of IndexedDB that are needed: the types of browsers are not those of this project. */
interface Request<T> {
  readonly result: T
  readonly error: unknown
  onsuccess: (() => void) | null
  onerror: (() => void) | null
}
interface Store {
  get(key: string): Request<unknown>
  put(value: string, key: string): Request<unknown>
}
interface Transaction {
  objectStore(name: string): Store
  readonly error: unknown
  oncomplete: (() => void) | null
  onabort: (() => void) | null
}
interface Database {
  createObjectStore(name: string): unknown
  transaction(name: string, mode: string, options?: { durability: string }): Transaction
}
interface OpenRequest extends Request<Database> {
  onupgradeneeded: (() => void) | null
}
interface Factory {
  open(name: string, version: number): OpenRequest
}

const storeName = 'device'

/**
 * Keeps a device in the browser's IndexedDB, from one visit to the next.
 *
 * @param name of the database: one device for each
 */
export async function indexedDbStorage(name = 'carillon-device'): Promise<DeviceStorage> {
  const factory = (globalThis as unknown as { indexedDB?: Factory }).indexedDB
  if (factory === undefined) throw new Error('There is no IndexedDB here; use memoryStorage() instead.')
  const opening = factory.open(name, 1)
  opening.onupgradeneeded = () => opening.result.createObjectStore(storeName)
  const database = await settled(opening)
  return {
    async get(key) {
      const value = await settled(database.transaction(storeName, 'readonly').objectStore(storeName).get(key))
      return typeof value === 'string' ? value : undefined
    },
    set(key, value) {
      // Strict: said to be written when it is on disk, for the courier forgets what is acknowledged after it.
      const transaction = database.transaction(storeName, 'readwrite', { durability: 'strict' })
      transaction.objectStore(storeName).put(value, key)
      return new Promise((resolve, reject) => {
        transaction.oncomplete = () => resolve()
        transaction.onabort = () => reject(transaction.error)
      })
    },
  }
}

function settled<T>(request: Request<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}
