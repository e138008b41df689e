import { join } from 'node:path'
import type { Database } from '@carillon/database'
import { hourOf } from '../../metrics/metric-counts.ts'
import { MetricStore } from '../../metrics/metric-store.ts'
import { ServiceError } from '../../service-error.ts'
import type { Trace } from '../trace.ts'
import { TraceRecorder } from '../trace-recorder.ts'
import { JournalReader } from './journal-reader.ts'
import type { ReadableJournal } from './segment-reading.ts'
import { TraceJournal } from './trace-journal.ts'

/** What an operator may want of the trace. */
export interface TraceOptions {
  /** Whether notifications are traced; true where absent. Metrics are counted all the same. */
  readonly enabled?: boolean
  /** How long; 7 days where absent, as Apple's delivery log. */
  readonly keepDays?: number
  /** Bytes of the journal, the oldest part goes first; 1 GiB where absent. */
  readonly bytesMax?: number
}

export const traceDefaults = { enabled: true, keepDays: 7, bytesMax: 1024 ** 3 } as const

export interface OpenTraceOptions extends TraceOptions {
  /** The journal's files are in `trace` below it. */
  readonly dataDir: string
  readonly database: Database
  readonly isApp: (bundleId: string) => boolean
  readonly now: () => number
  readonly onTrouble: (sentence: string, cause: unknown) => void
}

/** The trace of one environment: where it is written, and where it is read. */
export interface OpenTrace {
  readonly trace: Trace
  readonly metrics: MetricStore
  /** Absent where tracing is off. */
  readonly journal: TraceReading | undefined
  readonly statistics: TraceStatistics
  /** After everything that writes to it has ended. */
  close(): Promise<void>
}

/** The journal as the admin API sees it. */
export interface TraceReading {
  readonly files: ReadableJournal
  readonly reader: JournalReader
  /** While somebody follows, what happens is written sooner. Returns how to stop. */
  onWritten(listener: () => void): () => void
}

export interface TraceStatistics {
  /** Records since the start. */
  readonly records: number
  /** Of them, those that could not be written. */
  readonly lostRecords: number
  readonly bytes: number
  readonly segments: number
}

const flushMs = 250
/** The same while somebody follows the live stream. */
const followedFlushMs = 50
const keepMs = 60_000
const dayMs = 24 * 60 * 60 * 1000

/**
 * Opens journal and metrics.
 *
 * @throws ServiceError where the journal's directory cannot be used
 */
export async function openTrace(options: OpenTraceOptions): Promise<OpenTrace> {
  const { database, dataDir, isApp, now, onTrouble } = options
  const { enabled, keepDays, bytesMax } = { ...traceDefaults, ...options }
  const metrics = await MetricStore.open(database, now())
  const onLost = (records: number) => {
    recorder.lost(records)
  }
  const directory = join(dataDir, 'trace')
  const opened = enabled
    ? await TraceJournal.open({
        ...{ directory, now, keepMs: keepDays * dayMs, bytesMax, onTrouble, onLost },
      }).catch((cause: unknown) => {
        throw new ServiceError(
          'DATA_DIRECTORY',
          `The trace in ${directory} cannot be used (${cause}).`,
          'Check that the directory may be written to, or switch the trace off with trace.enabled.',
          cause,
        )
      })
    : undefined
  const journal = opened?.journal
  const recorder = new TraceRecorder({ sink: journal, counts: metrics.counts, isApp })
  if (opened?.wasKilled) recorder.wasKilled(now())
  const keepMetrics = () =>
    metrics
      .keep(now())
      .catch((cause: unknown) => onTrouble('The metrics of this minute could not be written.', cause))
  const tickers = [
    setInterval(() => {
      recorder.flush()
      // What happens from now on belongs to the next hour.
      if (hourOf(now()) > metrics.counts.hourMs) void keepMetrics()
    }, flushMs),
    setInterval(() => {
      void keepMetrics()
      void journal?.retain()
    }, keepMs),
  ]
  for (const ticker of tickers) ticker.unref()
  return {
    trace: recorder,
    metrics,
    journal: journal && readingOf(journal, recorder),
    statistics: {
      get records() {
        return recorder.records
      },
      get lostRecords() {
        return recorder.lostRecords
      },
      get bytes() {
        return journal?.bytes ?? 0
      },
      get segments() {
        return journal?.segments.length ?? 0
      },
    },
    async close() {
      for (const ticker of tickers) clearInterval(ticker)
      recorder.flush()
      await journal?.close()
      await keepMetrics()
    },
  }
}

function readingOf(journal: TraceJournal, recorder: TraceRecorder): TraceReading {
  const files: ReadableJournal = {
    segments: journal.segments,
    get deleted() {
      return journal.deleted
    },
    flush() {
      recorder.flush()
      return journal.written()
    },
  }
  let ticker: NodeJS.Timeout | undefined
  return {
    files,
    reader: new JournalReader(files),
    onWritten(listener) {
      const stop = journal.onWritten(listener)
      ticker ??= setInterval(() => recorder.flush(), followedFlushMs).unref()
      return () => {
        stop()
        if (journal.listeners > 0) return
        clearInterval(ticker)
        ticker = undefined
      }
    },
  }
}
