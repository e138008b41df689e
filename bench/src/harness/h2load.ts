import type { Child } from './child.ts'
import { core, outputOf } from './child.ts'
import type { Sample } from './scenario.ts'

export interface H2loadOptions {
  readonly connections: number
  /** Streams at a time on each connection. */
  readonly streams: number
  /** Either one URI, or a file with one a line. */
  readonly uri: string
  readonly uriFile?: string
  readonly bodyFile: string
  readonly headers: Readonly<Record<string, string>>
}

/** Loads a server for a while and tells its speed and what it has used for that. Everything must be answered 2xx. */
export async function measureWithH2load(
  server: Child,
  seconds: number,
  options: H2loadOptions,
): Promise<Sample> {
  await h2load(['-n', '20000'], options)
  const cpuBefore = server.cpuSeconds()
  const { done, elapsed } = await h2load(['-D', `${Math.round(seconds * 1000)}ms`], options)
  const cpu = server.cpuSeconds() - cpuBefore
  return { perSecond: done / elapsed, cpuPer100k: (cpu / done) * 100_000 }
}

async function h2load(
  length: readonly string[],
  options: H2loadOptions,
): Promise<{ done: number; elapsed: number }> {
  const headers = Object.entries(options.headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
  const text = await outputOf(core.load, [
    'h2load',
    ...length,
    ...['-c', String(options.connections), '-m', String(options.streams), '-d', options.bodyFile],
    ...headers,
    ...(options.uriFile === undefined ? [options.uri] : ['-i', options.uriFile]),
  ])
  const done = Number(/ (\d+) done/.exec(text)?.[1])
  const good = Number(/status codes: (\d+) 2xx/.exec(text)?.[1])
  const perSecond = Number(/, ([\d.]+) req\/s/.exec(text)?.[1])
  if (!(done > 0) || good < done) throw new Error(`h2load was not answered 2xx throughout:\n${text}`)
  return { done, elapsed: done / perSecond }
}
