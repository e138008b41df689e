import fc from 'fast-check'

/** Ways to cut a byte stream into chunks: the places where it is cut. */
export function splitsOf(length: number): fc.Arbitrary<number[]> {
  return fc.uniqueArray(fc.integer({ min: 0, max: length }), { maxLength: 12 })
}

/** `bytes` in chunks, each a copy, so that a reader cannot look beyond its chunk. */
export function chunksOf(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const edges = [0, ...cuts.toSorted((left, right) => left - right), bytes.length]
  return edges.slice(1).map((end, index) => bytes.slice(edges[index], end))
}

/** Everything that a reader gives for the chunks. */
export function readAll<T>(
  reader: { push(chunk: Uint8Array): void; next(): T | undefined },
  chunks: readonly Uint8Array[],
): T[] {
  const found: T[] = []
  for (const chunk of chunks) {
    reader.push(chunk)
    for (let value = reader.next(); value !== undefined; value = reader.next()) found.push(value)
  }
  return found
}

/** Runs a decoder over bytes that may be anything: it must end, and throw nothing but `WireError`. */
export function survives(run: () => unknown, WireError: new (...parameters: never[]) => Error): boolean {
  try {
    run()
  } catch (error) {
    if (!(error instanceof WireError)) throw error
  }
  return true
}
