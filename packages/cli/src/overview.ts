import type { Environment } from '@carillon/wire'

/** The numbers of one environment at one moment. */
export interface Snapshot {
  readonly environment: Environment
  readonly atMs: number
  readonly providers: number
  readonly devices: number
  /** Since an hour that does not change while one looks. */
  readonly totals: Readonly<Record<string, number>>
}

/** What `carillon top` tells of one environment. */
export interface Overview {
  readonly environment: Environment
  readonly providers: number
  readonly devices: number
  /** Events a second since the snapshot before. */
  readonly perSecond: Readonly<Record<string, number>>
}

export function overviewOf(before: Snapshot | undefined, now: Snapshot): Overview {
  const { environment, providers, devices } = now
  const seconds = before === undefined ? 0 : (now.atMs - before.atMs) / 1000
  const rateOf = (name: string, total: number): number => {
    const counted = total - (before?.totals[name] ?? 0)
    // A service that was started anew may count less than before.
    return seconds > 0 ? Math.max(0, Math.round((counted / seconds) * 10) / 10) : 0
  }
  const perSecond = Object.fromEntries(
    Object.entries(now.totals).map(([name, total]) => [name, rateOf(name, total)]),
  )
  return { environment, providers, devices, perSecond }
}

/** The columns of the table, with what is summed up in each. */
const columns = [
  ['received', ['received']],
  ['delivered', ['delivered', 'deliveredFromStorage']],
  ['stored', ['storedOffline', 'storedPower', 'storedPaused', 'storedWindow']],
  ['replaced', ['replaced']],
  [
    'discarded',
    [
      ...['discardedExpired', 'discardedUnregistered', 'discardedUnregisteredFromStorage'],
      ...['discardedDisabled', 'discardedDisabledFromStorage'],
    ],
  ],
  ['rejected', ['rejected']],
] as const

/** A table with a line for each environment. */
export function overviewTable(overviews: readonly Overview[]): string {
  const head = ['', 'providers', 'devices', ...columns.map(([name]) => `${name}/s`)]
  const lines = overviews.map(({ environment, providers, devices, perSecond }) => [
    environment,
    String(providers),
    String(devices),
    ...columns.map(([, names]) => {
      const sum = names.reduce((rate, name) => rate + (perSecond[name] ?? 0), 0)
      return sum >= 100 ? Math.round(sum).toLocaleString('en') : sum.toFixed(1)
    }),
  ])
  return [head, ...lines]
    .map((cells) => cells.map((cell, at) => (at === 0 ? cell.padEnd(12) : cell.padStart(12))).join(''))
    .join('\n')
}
