import type { HealthNumber } from '../metrics/prometheus.ts'
import type { Channels } from './channels.ts'

/**
 * Apple: "Setting up broadcast push notifications" names published, delivered and subscriptions as the metrics of
 * broadcasts.
 */
export function channelNumbers(channels: Channels): HealthNumber[] {
  const gauge = { type: 'gauge', labels: ['app'] } as const
  return [
    {
      ...{ name: 'carillon_channels', help: 'Broadcast channels that exist.', ...gauge },
      read: () => channels.byApp().map(([app, counters]) => [{ app }, counters.channels]),
    },
    {
      name: 'carillon_channel_subscriptions',
      help: 'Connected devices that listen to a channel, once for each of their channels.',
      ...gauge,
      read: () => channels.byApp().map(([app, counters]) => [{ app }, counters.subscriptions]),
    },
    {
      name: 'carillon_broadcasts_total',
      help: 'Broadcasts since the start: accepted, handed to devices, and of those from storage.',
      type: 'counter',
      labels: ['app', 'event'],
      read: () =>
        channels
          .byApp()
          .flatMap(([app, counters]) => [
            [{ app, event: 'published' }, counters.published] as const,
            [{ app, event: 'delivered' }, counters.delivered] as const,
            [{ app, event: 'deliveredFromStorage' }, counters.deliveredFromStorage] as const,
          ]),
    },
  ]
}
