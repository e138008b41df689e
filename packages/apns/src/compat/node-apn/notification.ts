import { header, pushTypes } from '@carillon/wire'
import type { Aps, NotificationPushType } from './aps.ts'
import { type ApsProperties, type Chained, defineApsProperties } from './aps-properties.ts'

/** What a notification tells the service beside its payload. */
export type NotificationHeaders = Record<string, string | number>

/** A notification as node-apn has it: fields, the keys of `aps` as properties, and `headers` and `compile`. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: `defineApsProperties` gives the prototype all of them
export class Notification {
  declare encoding: BufferEncoding
  // biome-ignore lint/suspicious/noExplicitAny: as in the original, so that programs compile unchanged
  declare payload: any
  declare compiled: string | false
  declare aps: Aps
  /** UNIX seconds; below 0: none is sent. */
  declare expiry: number
  declare priority: number
  /** A UUID. */
  declare id: string
  declare requestId: string
  declare channelId: string
  declare collapseId: string
  declare topic: string
  declare pushType: NotificationPushType
  /** Sent as it is, instead of all others. */
  // biome-ignore lint/suspicious/noExplicitAny: as in the original
  declare rawPayload: any
  declare _mdm: unknown

  /** Own fields of `payload` are assigned, so that it may hold any property of a notification. */
  constructor(payload?: object) {
    this.encoding = 'utf8'
    this.payload = {}
    this.compiled = false
    this.aps = {}
    this.expiry = -1
    this.priority = 10
    if (payload) Object.assign(this, payload)
  }

  headers(): NotificationHeaders {
    const headers: NotificationHeaders = {}
    if (Number.isInteger(this.priority)) headers[header.apnsPriority] = this.priority
    if (this.id) headers[header.apnsId] = this.id
    if (this.collapseId) headers[header.apnsCollapseId] = this.collapseId
    if (this.requestId) headers[header.apnsRequestId] = this.requestId
    if (this.channelId) headers[header.apnsChannelId] = this.channelId
    if (this.expiry >= 0) headers[header.apnsExpiration] = this.expiry
    if (this.topic) headers[header.apnsTopic] = this.topic
    if (this.pushType) headers[header.apnsPushType] = this.pushType
    return headers
  }

  /** The payload in JSON. What is changed after the first call is not sent. */
  compile(): string {
    this.compiled ||= JSON.stringify(this)
    return this.compiled
  }

  /** Bytes of the payload. */
  length(): number {
    return Buffer.byteLength(this.compile(), this.encoding || 'utf8')
  }

  toJSON(): unknown {
    if (this.rawPayload != null) return this.rawPayload
    if (typeof this._mdm === 'string') return { mdm: this._mdm }
    return { ...this.payload, aps: this.apsPayload() }
  }

  /** `aps`, unless nothing is in it. */
  apsPayload(): Aps | undefined {
    return Object.values(this.aps).some((value) => value !== undefined) ? this.aps : undefined
  }

  /** Makes `aps.alert` an object. */
  prepareAlert(): void {
    const { alert } = this.aps
    if (typeof alert !== 'object') this.aps.alert = { body: alert as string }
  }

  /** For channel management, which takes none of these. */
  removeNonChannelRelatedProperties(): void {
    Object.assign(this, { priority: 10, id: undefined, collapseId: undefined })
    Object.assign(this, { topic: undefined, pushType: undefined })
  }

  /** A channel is made for Live Activities unless the payload says otherwise. */
  addPushTypeToPayloadIfNeeded(): void {
    if (this.rawPayload == null) this.payload['push-type'] ??= pushTypes.liveactivity.value
  }
}

export interface Notification extends ApsProperties, Chained<Notification> {}

/** What a Provider takes: a notification, also one that the program calls by the original's type, which tells less. */
export type Sendable = Pick<
  Notification,
  'topic' | 'id' | 'collapseId' | 'expiry' | 'priority' | 'payload' | 'rawPayload' | 'aps'
>

defineApsProperties(Notification.prototype)
