/** Where a device in a browser keeps what must outlive the page: short texts by name. */
export interface DeviceStorage {
  get(key: string): Promise<string | undefined>
  /** Resolves when the text is kept. */
  set(key: string, value: string): Promise<void>
}

/** Forgets everything with the page: the device is then a new visitor each time, with its tokens as before. */
export function memoryStorage(): DeviceStorage {
  const kept = new Map<string, string>()
  return {
    get: async (key) => kept.get(key),
    set: async (key, value) => void kept.set(key, value),
  }
}
