import { join } from 'node:path'
import { h2loadOn, startGatewayPair } from '../harness/gateway.ts'
import { interleaved, median, type Row, type Sample, type Scenario } from '../harness/scenario.ts'

const sizes: readonly number[] = [1000, 100_000, 1_000_000]

/** What a push costs with so many registered devices, each of them addressed in turn; beside the smallest registry. */
export const registered: Scenario = {
  id: 'P9',
  title: 'Cost by registered devices',
  async run(settings) {
    const pairs = new Map<number, Awaited<ReturnType<typeof startGatewayPair>>>()
    for (const tokens of sizes) {
      const folder = join(settings.folder, `p9-${tokens}`)
      pairs.set(tokens, await startGatewayPair({ folder, isStored: false, tokens }))
    }
    const measure = async (tokens: number, seconds: number): Promise<Sample> => {
      const pair = pairs.get(tokens)!
      const shape = { connections: 16, streams: 100, isManyTokens: true }
      const sample = await h2loadOn(pair, pair.gateway, seconds, shape)
      settings.raw({ scenario: 'P9', tokens, ...sample })
      return sample
    }
    // Once through all of them: each token is read from the database at its first push.
    for (const tokens of sizes) await measure(tokens, Math.max(settings.seconds, tokens / 50_000))
    const samples = await interleaved(settings.runs, sizes, (tokens) => measure(tokens, settings.seconds))
    await Promise.all([...pairs.values()].map((pair) => pair.stop()))
    const costOf = (tokens: number) => median(samples.get(tokens)!.map(({ cpuPer100k }) => cpuPer100k))
    return sizes.slice(1).map(
      (tokens): Row => ({
        setting: `${tokens.toLocaleString('en-US')} registered devices`,
        measure: 'CPU s per 100,000 requests',
        isMoreBetter: false,
        ours: costOf(tokens),
        peer: 'ours with 1,000',
        theirs: costOf(sizes[0]!),
      }),
    )
  },
}
