import type { Aps, ApsSound, NotificationAlertOptions } from './aps.ts'

/** Properties of a notification that write a key of `aps` if the value is of this type, and drop it otherwise. */
const apsKeys = {
  badge: ['badge', 'number'],
  relevanceScore: ['relevance-score', 'number'],
  timestamp: ['timestamp', 'number'],
  staleDate: ['stale-date', 'number'],
  dismissalDate: ['dismissal-date', 'number'],
  inputPushToken: ['input-push-token', 'number'],
  event: ['event', 'string'],
  category: ['category', 'string'],
  targetContentIdentifier: ['target-content-id', 'string'],
  threadId: ['thread-id', 'string'],
  interruptionLevel: ['interruption-level', 'string'],
  filterCriteria: ['filter-criteria', 'string'],
  inputPushChannel: ['input-push-channel', 'string'],
  attributesType: ['attributes-type', 'string'],
  contentState: ['content-state', 'object'],
  attributes: ['attributes', 'object'],
} as const

/** Those that write a key of `aps.alert`, which becomes an object with that. */
const alertKeys = {
  locKey: 'loc-key',
  locArgs: 'loc-args',
  title: 'title',
  subtitle: 'subtitle',
  titleLocKey: 'title-loc-key',
  titleLocArgs: 'title-loc-args',
  subtitleLocKey: 'subtitle-loc-key',
  subtitleLocArgs: 'subtitle-loc-args',
  action: 'action',
  actionLocKey: 'action-loc-key',
  launchImage: 'launch-image',
} as const

/** Those that are a flag, with the value that stands for true. */
const flags = {
  contentAvailable: ['content-available', 1],
  mutableContent: ['mutable-content', 1],
  contentChanged: ['content-changed', true],
} as const

/** What these properties take. They can be written alone, except `body`: reading is for `aps`. */
export interface ApsProperties {
  alert: string | NotificationAlertOptions
  body: string
  sound: string | ApsSound
  mdm: string | object
  urlArgs: string[]
  badge: number
  relevanceScore: number
  timestamp: number
  staleDate: number
  dismissalDate: number
  inputPushToken: number
  event: string
  category: string
  targetContentIdentifier: string
  threadId: string
  interruptionLevel: string
  filterCriteria: string
  inputPushChannel: string
  attributesType: string
  contentState: object
  attributes: object
  locKey: string
  locArgs: unknown[]
  title: string
  subtitle: string
  titleLocKey: string
  titleLocArgs: unknown[]
  subtitleLocKey: string
  subtitleLocArgs: unknown[]
  action: string
  actionLocKey: string
  launchImage: string
  contentAvailable: boolean
  mutableContent: boolean
  contentChanged: boolean
}

/** `setTitle(value)` and the like, which return the notification. */
export type Chained<T> = {
  [K in keyof ApsProperties as `set${Capitalize<K>}`]: (value: ApsProperties[K] | undefined) => T
} & {
  // biome-ignore lint/suspicious/noExplicitAny: as in the original
  setPayload(value: any): T
  setExpiry(value: number): T
  setPriority(value: number): T
}

/** What the properties work on. */
interface Carrier {
  aps: Record<string, unknown>
  _mdm?: unknown
  prepareAlert(): void
}

type Setter = (this: Carrier, value: unknown) => void

/** Gives a prototype all of them, and their chained forms. */
export const defineApsProperties = (prototype: object): void => {
  const setters: Record<string, Setter> = {
    alert: setAlert,
    sound: setSound,
    urlArgs: setUrlArgs,
    mdm: setMdm,
  }
  for (const [name, [key, type]] of Object.entries(apsKeys)) {
    setters[name] = function (value) {
      if (value === undefined || typeof value === type) this.aps[key] = value
    }
  }
  for (const [name, key] of Object.entries(alertKeys)) {
    setters[name] = function (value) {
      this.prepareAlert()
      ;(this.aps.alert as Record<string, unknown>)[key] = value
    }
  }
  for (const [name, [key, on]] of Object.entries(flags)) {
    setters[name] = function (value) {
      this.aps[key] = value === true || value === 1 ? on : undefined
    }
  }
  for (const [name, set] of Object.entries(setters)) {
    Object.defineProperty(prototype, name, { set, enumerable: true, configurable: true })
  }
  Object.defineProperty(prototype, 'body', {
    get: getBody,
    set: setBody,
    enumerable: true,
    configurable: true,
  })
  for (const name of [...Object.keys(setters), 'body', 'payload', 'expiry', 'priority']) {
    const method = `set${name[0]?.toUpperCase()}${name.slice(1)}`
    Object.defineProperty(prototype, method, {
      value(this: Record<string, unknown>, value: unknown) {
        this[name] = value
        return this
      },
      writable: true,
      configurable: true,
    })
  }
}

const setAlert: Setter = function (value) {
  this.aps.alert = value
}

function getBody(this: Carrier): unknown {
  const alert = (this.aps as Aps).alert
  return alert ? (alert as { body?: string }).body || alert : alert
}

const setBody: Setter = function (value) {
  if (typeof this.aps.alert !== 'object') this.aps.alert = value
  else {
    this.prepareAlert()
    ;(this.aps.alert as Record<string, unknown>).body = value
  }
}

const setSound: Setter = function (value) {
  if (value === undefined || typeof value === 'string') this.aps.sound = value
  else if (typeof value === 'object') {
    const { name, critical, volume } = value as Partial<ApsSound>
    if (typeof name === 'string' && typeof critical === 'number' && typeof volume === 'number') {
      this.aps.sound = value
    }
  }
}

const setUrlArgs: Setter = function (value) {
  if (value === undefined || Array.isArray(value)) this.aps['url-args'] = value
}

const setMdm: Setter = function (value) {
  this._mdm = value
}
