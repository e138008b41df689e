/** An event of a trace as the admin API tells it; what does not apply is absent. */
export interface ToldEvent {
  readonly at: string
  readonly stage: string
  readonly why?: string
  readonly reason?: string
  readonly by?: string
  readonly status?: number
  readonly fromStorage?: boolean
  /** Of a broadcast. */
  readonly devices?: number
}

/** All that is known of one notification to one token, or of one broadcast to one channel. */
export interface ToldTrace {
  readonly apnsId: string
  readonly uniqueId?: string
  readonly token?: string
  readonly channel?: string
  readonly topic?: string
  readonly pushType?: string
  readonly priority?: number
  readonly state: string
  readonly events: readonly ToldEvent[]
}

/** The columns of the time line. */
const columns = 24

/** The way of a notification, a line for each event: when, where on the time line, what. */
export function waterfall(environment: string, trace: ToldTrace): string {
  const { apnsId, uniqueId, token, channel, topic = '?', pushType, priority, state, events } = trace
  const kind = [pushType, priority === undefined ? undefined : `priority ${priority}`].filter(Boolean)
  const beginMs = Date.parse(events[0]!.at)
  const wholeMs = Math.max(1, Date.parse(events.at(-1)!.at) - beginMs)
  return [
    `${apnsId} (${environment}): ${state}`,
    ...(uniqueId === undefined ? [] : [`  unique id  ${uniqueId}`]),
    ...(token === undefined ? [] : [`  token      ${token}`]),
    ...(channel === undefined ? [] : [`  channel    ${channel}`]),
    `  topic      ${[topic, ...kind].join(', ')}`,
    `  begin      ${events[0]!.at}`,
    ...events.map((event) => {
      const afterMs = Date.parse(event.at) - beginMs
      const place = Math.min(columns - 1, Math.max(0, Math.round((afterMs / wholeMs) * (columns - 1))))
      const line = `${'·'.repeat(place)}●${'·'.repeat(columns - 1 - place)}`
      return `  ${`+${durationText(afterMs)}`.padStart(11)}  ${line}  ${sentenceOf(event)}`
    }),
  ].join('\n')
}

function durationText(ms: number): string {
  if (ms < 1000) return `${ms} ms`
  if (ms < 60_000) return `${(ms / 1000).toFixed(2)} s`
  if (ms < 3_600_000) return `${(ms / 60_000).toFixed(1)} min`
  return ms < 172_800_000 ? `${(ms / 3_600_000).toFixed(1)} h` : `${(ms / 86_400_000).toFixed(1)} days`
}

/** What happened, for people. A stage of a newer service is told by its name. */
function sentenceOf(event: ToldEvent): string {
  const { stage, why = '', reason, by, status, devices, fromStorage = false } = event
  const storage = fromStorage ? ', from storage' : ''
  switch (stage) {
    case 'received':
      return 'received from the provider'
    case 'rejected':
      return `rejected: ${reason}`
    case 'stored':
      return `stored: ${storedTexts[why] ?? why}`
    case 'replaced':
      return `replaced by ${by}`
    case 'expired':
      return 'expired while it was stored'
    case 'discarded':
      return `discarded${storage}: ${discardedTexts[why] ?? why}`
    case 'sent':
      return `sent to ${devicesText(devices)}${storage}`
    case 'acknowledged':
      return status === 0 ? 'taken by the device' : `not taken by the device (status ${status})`
    case 'shown':
      return 'shown to the user'
    case 'opened':
      return 'opened by the user'
    default:
      return stage
  }
}

function devicesText(devices: number | undefined): string {
  if (devices === undefined) return 'the device'
  if (devices === 0) return 'no device: none that listens is connected'
  return devices === 1 ? 'one device' : `${devices} devices`
}

const storedTexts: Readonly<Record<string, string>> = {
  offline: 'the device is not connected',
  power: 'the device saves power',
  paused: 'the device has paused the topic, or not named it yet',
  window: 'the device has not acknowledged what it was sent before',
  channel: 'the channel keeps it for devices that come later',
}

const discardedTexts: Readonly<Record<string, string>> = {
  expired: 'it had expired, or was not to be stored',
  unregistered: 'no app takes this token any more',
  disabled: 'the device does not want this topic',
}
