import type { Database, Write } from '@carillon/database'
import { deviceTokenBytes, encodeDeviceToken } from '@carillon/wire'

export interface SeedOptions {
  /** How many devices, each with one token. */
  readonly count: number
  readonly bundleId: string
  readonly topic: string
  /** Milliseconds since the epoch. */
  readonly now: number
  readonly random: (bytes: number) => Uint8Array
}

/** Devices that one unit of writing holds. */
const devicesPerUnit = 1000

/**
 * Fills a registry with devices and tokens as if they had enrolled, for benchmarks and trials; the tokens come
 * back as hex. The device ids are `seed-` and the first eight bytes of the base token.
 */
export async function seedTokens(database: Database, options: SeedOptions): Promise<string[]> {
  const addDevice = database.prepare(
    'INSERT INTO devices (device_id, base_token, enrolled_at) VALUES (?, ?, ?)',
  )
  const addToken = database.prepare(
    `INSERT INTO tokens (token, device, bundle_id, topic, issued_at)
     SELECT ?, id, ?, ?, ? FROM devices WHERE device_id = ?`,
  )
  const tokens: string[] = []
  // One unit is on its way to the disk while the next is made.
  let writing: Promise<unknown> = Promise.resolve()
  while (tokens.length < options.count) {
    const writes: Write[] = []
    const end = Math.min(options.count, tokens.length + devicesPerUnit)
    while (tokens.length < end) {
      const baseToken = options.random(deviceTokenBytes)
      const token = options.random(deviceTokenBytes)
      const deviceId = `seed-${encodeDeviceToken(baseToken.subarray(0, 8))}`
      writes.push({ statement: addDevice, parameters: [deviceId, baseToken, options.now] })
      const { bundleId, topic, now } = options
      writes.push({ statement: addToken, parameters: [token, bundleId, topic, now, deviceId] })
      tokens.push(encodeDeviceToken(token))
    }
    await writing
    writing = database.transaction(writes)
  }
  await writing
  return tokens
}
