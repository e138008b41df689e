/** As many as keep both sides busy: a handshake costs each a millisecond. */
const atATime = 16

/** Calls `dial` for 0 … count - 1, some at a time; what came of each, in this order. */
export async function dialAll<T>(count: number, dial: (index: number) => Promise<T>): Promise<T[]> {
  const dialled: T[] = []
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < count) {
      const index = next++
      dialled[index] = await dial(index)
    }
  }
  await Promise.all(Array.from({ length: atATime }, worker))
  return dialled
}
