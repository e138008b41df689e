import { randomBytes } from 'node:crypto'

/** Random, but for the two bytes from which back-off draws: these are given, 0 for no wait at all. */
export function randomWithBackOff(drawn = 0): (bytes: number) => Uint8Array {
  return (bytes) => new Uint8Array(bytes === 2 ? Buffer.alloc(2, drawn) : randomBytes(bytes))
}
