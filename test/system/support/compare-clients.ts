import { expect } from 'vitest'
import type { LocalApp } from './local-app.ts'

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/**
 * What a client said, without what is another each time: ids that were made, and how an error came about. `known`
 * are values that were given and must come back as they are.
 */
export function comparable(value: unknown, known: readonly unknown[] = []): unknown {
  if (value instanceof Error) {
    const message = value.message.replace(
      /^(apn write failed|Unexpected error processing APNs response).*/s,
      '$1',
    )
    return { errorName: value.name, message: message.replace(/^(Failed to generate token).*/s, '$1') }
  }
  if (typeof value === 'string' && !known.includes(value)) {
    if (uuid.test(value)) return '(an id)'
    // 16 bytes of a channel.
    return Buffer.from(value, 'base64').length === 16 && value.endsWith('==') ? '(a channel)' : value
  }
  if (Array.isArray(value)) return value.map((item) => comparable(item, known))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, comparable(item, known)]))
}

/** What came of something, be it a value or an error. */
export async function outcomeOf(run: () => unknown): Promise<unknown> {
  try {
    return { value: await run() }
  } catch (error) {
    return { thrown: error }
  }
}

/**
 * Runs a script with a library and with ours in its place, expects that both said the same, and resolves with what
 * they said. Faults that it sets are cleared in between. `read`: what of it is compared.
 */
export async function sameOutcome<Library>(
  app: LocalApp,
  [original, ours]: readonly [Library, Library],
  script: (library: Library) => unknown,
  read: (said: unknown) => unknown,
): Promise<unknown> {
  const said = await outcomeOf(() => script(original))
  app.system.faults.production.clear()
  const saidByOurs = await outcomeOf(() => script(ours))
  expect(read(saidByOurs)).toEqual(read(said))
  return said
}

/** Makes the service answer requests with this reason. `match`: which of them, all by default. */
export function tellReason(app: LocalApp, reason: string, match: object = {}, more: object = {}): void {
  const fault = { kind: 'answer' as const, reason, ...more }
  app.system.faults.production.set({ rules: [{ id: 'told', match, fault }] })
}
