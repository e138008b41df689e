import { decodeMessageRecord, decodeRecordHead } from './message-record.ts'
import type { InboxMessage, RemovedMessage } from './message-store.ts'
import { StoreError } from './store-error.ts'

/** A row of the table `messages` as it is read. */
export interface MessageRow {
  readonly seq: number
  readonly device: number
  readonly app: string
  readonly collapse_id: string
  readonly inbox: number
  readonly expires: number
  readonly record: Uint8Array
}

/** @throws StoreError `STORE_RECORD_INVALID` */
export function messageOfRow(row: MessageRow): InboxMessage {
  return {
    seq: row.seq,
    device: row.device,
    app: row.app,
    collapseId: row.collapse_id,
    inboxMax: row.inbox,
    expiration: row.expires,
    ...decodeMessageRecord(row.record, row.app),
  }
}

/** What a deletion returns of a row: its record without the end of the payload. */
export interface RemovedRow {
  readonly seq: number
  readonly expires: number
  readonly head: Uint8Array
}

/** The same of a deletion that is not for one device and app. */
export interface SweptRow extends RemovedRow {
  readonly device: number
  readonly app: string
}

/** What names a removed message; undefined for one that is damaged. */
export function removedOfRow(row: RemovedRow, device: number, app: string): RemovedMessage | undefined {
  try {
    const { apnsId, topic, token, pushType, priority } = decodeRecordHead(row.head, app)
    return { seq: row.seq, device, app, apnsId, topic, token, pushType, priority }
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    return undefined
  }
}
