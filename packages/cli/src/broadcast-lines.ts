import type { DeviceEvent } from '@carillon/device'

/** A broadcast in words. What a Live Activity shows is the app's own affair: the state that it was given is printed. */
export function broadcastLines(event: Extract<DeviceEvent, { event: 'broadcast' }>): string {
  const aps = (event.payload.aps ?? {}) as { readonly [key: string]: unknown }
  const { title, body } = event.shown
  const texts = [title, body].filter((text) => text !== undefined)
  const state = JSON.stringify(aps['content-state'] ?? {})
  return [`${event.bundleId}: activity ${aps.event} ${state}`, ...texts.map((text) => `  ${text}`)].join('\n')
}
