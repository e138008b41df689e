import { join } from 'node:path'
import { type Database, openDatabase } from '@carillon/database'
import { onTestFinished } from 'vitest'
import { migrations } from '../../src/migrations.ts'
import type { StoredMessage } from '../../src/store/stored-message.ts'
import {
  type OpenTrace,
  openTrace,
  type TraceOptions,
  type TraceReading,
} from '../../src/trace/drivers/open-trace.ts'
import { temporaryDirectory } from '../temporary-directory.ts'

export const bundleId = 'com.example.shop'
export const startMs = 1_750_000_000_000

/** A trace on real files with a clock that the test sets. */
export class TraceWorld {
  readonly directory: string
  readonly troubles: string[] = []
  nowMs = startMs
  #opened: { readonly database: Database; readonly trace: OpenTrace } | undefined

  readonly #atEnd: (close: () => Promise<void>) => void

  /** @param atEnd takes what is to be done after the test; for use where there is none */
  constructor(directory = temporaryDirectory(), atEnd: typeof onTestFinished = onTestFinished) {
    this.directory = directory
    this.#atEnd = atEnd
  }

  async open(options: TraceOptions = {}): Promise<OpenTrace> {
    const database = await openDatabase({
      engine: 'sqlite',
      file: join(this.directory, 'push.sqlite'),
      migrations,
    })
    const trace = await openTrace({
      ...options,
      dataDir: this.directory,
      database,
      isApp: (id) => id === bundleId,
      now: () => this.nowMs,
      onTrouble: (sentence) => this.troubles.push(sentence),
    })
    this.#opened = { database, trace }
    this.#atEnd(() => this.close())
    return trace
  }

  async close(): Promise<void> {
    const opened = this.#opened
    this.#opened = undefined
    await opened?.trace.close()
    await opened?.database.close()
  }
}

/** The message of a number: ids and tokens can be told apart. */
export function messageOf(number: number, fields: Partial<StoredMessage> = {}): StoredMessage {
  return {
    seq: number,
    device: 1,
    app: bundleId,
    topic: bundleId,
    token: tokenOf(number),
    apnsId: idOf(number),
    payload: new Uint8Array(0),
    priority: 10,
    pushType: 'alert',
    collapseId: '',
    expiration: 2_000_000_000,
    receivedAtMs: startMs,
    ...fields,
  }
}

export function idOf(number: number): Uint8Array {
  return numbered(16, number)
}

export function tokenOf(number: number): Uint8Array {
  return numbered(32, number)
}

function numbered(length: number, number: number): Uint8Array {
  const bytes = new Uint8Array(length).fill(0xab)
  new DataView(bytes.buffer).setUint32(8, number)
  return bytes
}

/** The newest events of all kinds. */
export const everything = (journal: TraceReading) => journal.reader.newest({}, 100_000)

/** Bytes of a small journal; a segment is a quarter of it. */
export const smallBytesMax = 4 * 1024 * 1024
