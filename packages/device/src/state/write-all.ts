import { writeSync } from 'node:fs'

/** Writes all of a text, or throws: a single `write` may stop half-way, on a full disk for example. */
export function writeAllSync(fd: number, text: string): number {
  const bytes = Buffer.from(text)
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done)
  return bytes.length
}
