import { Priority } from './priority.ts'
import { PushType } from './push-type.ts'

/** What a notification says. */
export interface NotificationOptions {
  type?: PushType
  alert?: string | { title: string; subtitle?: string; body: string }
  badge?: number
  /** UNIX seconds, or a Date. */
  expiration?: number | Date
  sound?: string | CriticalAlertSoundPayload
  category?: string
  /** Keys beside `aps`. */
  data?: Record<string, unknown>
  contentAvailable?: boolean
  priority?: Priority
  /** Default: `defaultTopic` of the client. */
  topic?: string
  collapseId?: string
  threadId?: string
  /** Any keys of `aps`; the other options are added to it. */
  aps?: Record<string, unknown>
  mutableContent?: boolean
}

/** What is sent as JSON. */
export interface ApnsPayload {
  aps: Record<string, unknown>
  [key: string]: unknown
}

/** A critical sound. */
export interface CriticalAlertSoundPayload {
  critical: 0 | 1
  name?: string
  volume?: number
}

/** A notification for one device, as apns2 has it. */
export class Notification {
  readonly deviceToken: string
  readonly options: NotificationOptions

  constructor(deviceToken: string, options?: NotificationOptions) {
    this.deviceToken = deviceToken
    this.options = options ?? {}
  }

  get pushType(): PushType {
    return this.options.type ?? PushType.alert
  }

  get priority(): Priority {
    return this.options.priority ?? Priority.immediate
  }

  /** The payload. */
  buildApnsOptions(): ApnsPayload {
    const { alert, contentAvailable, sound, category, badge, threadId, data, mutableContent } = this.options
    const result: ApnsPayload = { aps: this.options.aps ?? {} }
    if (alert) result.aps.alert = alert
    if (typeof contentAvailable === 'boolean') result.aps['content-available'] = contentAvailable ? 1 : 0
    if (typeof sound === 'string' || typeof sound === 'object') result.aps.sound = sound
    if (typeof category === 'string') result.aps.category = category
    if (typeof badge === 'number') result.aps.badge = badge
    if (typeof threadId === 'string') result.aps['thread-id'] = threadId
    // Inherited ones, too.
    for (const key in data) result[key] = data[key]
    if (typeof mutableContent === 'boolean') result.aps['mutable-content'] = mutableContent ? 1 : 0
    return result
  }
}

/** A background push of priority 5. */
export class SilentNotification extends Notification {
  constructor(
    deviceToken: string,
    options: Omit<NotificationOptions, 'type' | 'alert' | 'priority' | 'contentAvailable'> = {},
  ) {
    super(deviceToken, {
      contentAvailable: true,
      type: PushType.background,
      priority: Priority.throttled,
      ...options,
    })
  }
}
