import { Counter, Gauge, Registry } from '@prometheus-io/client'
import { rejectedReasonOf } from './counters.ts'
import type { MetricCounts } from './metric-counts.ts'

/** A number that is read when it is asked for. */
export interface HealthNumber {
  readonly name: string
  readonly help: string
  /** `counter`: only ever grows while the process runs. */
  readonly type: 'gauge' | 'counter'
  /** One number, or one for each value of the label. */
  readonly read: () => number | Iterable<readonly [labels: Readonly<Record<string, string>>, value: number]>
  readonly labels?: readonly string[]
}

/** The text format of Prometheus: notifications since the start, and the health of the process. */
export function prometheusRegistry(counts: MetricCounts, health: readonly HealthNumber[]): Registry {
  const registry = new Registry()
  const registers = [registry]
  new Counter({
    name: 'carillon_notifications_total',
    help: 'What happened to notifications since the start, by event.',
    labelNames: ['app', 'push_type', 'priority', 'event'],
    registers,
    collect() {
      this.reset()
      for (const { app, pushType, priority, counter, value } of counts.sinceStart()) {
        if (rejectedReasonOf(counter) !== undefined) continue
        this.inc({ app, push_type: pushType, priority: String(priority), event: counter }, value)
      }
    },
  })
  new Counter({
    name: 'carillon_rejections_total',
    help: 'Pushes that were not accepted since the start, by reason.',
    labelNames: ['app', 'reason'],
    registers,
    collect() {
      this.reset()
      for (const { app, counter, value } of counts.sinceStart()) {
        const reason = rejectedReasonOf(counter)
        if (reason !== undefined) this.inc({ app, reason }, value)
      }
    },
  })
  for (const { name, help, type, read, labels = [] } of health) {
    const Kind = type === 'gauge' ? Gauge : Counter
    const labelNames = [...labels]
    new Kind({
      ...{ name, help, labelNames, registers },
      collect() {
        this.reset()
        const found = read()
        if (typeof found === 'number') this.inc(found)
        else for (const [labelled, value] of found) this.inc({ ...labelled }, value)
      },
    })
  }
  return registry
}
