import type { Notification, PushClient, PushResult, SentPush } from '../../src/index.ts'
import { push } from './service.ts'

/** Sends so many pushes at once. */
export const sendAll = (client: PushClient, count: number): Promise<PushResult[]> =>
  Promise.all(Array.from({ length: count }, (_, n) => client.send(push(n))))

/** Everything that a `sendMany` yields. */
export const gather = async <N extends Notification>(
  results: AsyncIterable<SentPush<N>>,
): Promise<SentPush<N>[]> => {
  const all: SentPush<N>[] = []
  for await (const result of results) all.push(result)
  return all
}

/** How many were accepted, as `ok`, and how many failed for each reason. */
export const countByReason = (results: readonly PushResult[]): Record<string, number> => {
  const counts: Record<string, number> = {}
  for (const result of results) {
    const name = result.ok ? 'ok' : result.reason
    counts[name] = (counts[name] ?? 0) + 1
  }
  return counts
}
