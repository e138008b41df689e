import type { Context } from 'hono'
import { type SSEStreamingApi, streamSSE } from 'hono/streaming'
import { JournalFollower } from '../../trace/drivers/journal-follower.ts'
import type { TraceReading } from '../../trace/drivers/open-trace.ts'
import type { TraceEvent } from '../../trace/trace-event.ts'
import type { TracePosition } from '../../trace/trace-position.ts'
import type { TraceQuery } from '../../trace/trace-query.ts'
import type { OpenStreams } from '../open-streams.ts'

export interface FollowOptions {
  readonly journal: TraceReading
  readonly streams: OpenStreams
  readonly query: TraceQuery
  readonly after: TracePosition | undefined
  /** A reader that is further behind is told of a gap and goes on at the end; never where absent. */
  readonly behindBytesMax?: number
  /** The name and data of an event; undefined for one that is not told. */
  readonly told: (event: TraceEvent) => { readonly event: string; readonly data: object } | undefined
}

/** Says to proxies and clients that the connection lives. */
const aliveMs = 15_000
const eventsPerPage = 200

/**
 * Answers with Server-Sent Events of what is in the journal and what comes. Every event has its cursor as id, so
 * that a client which reconnects with `Last-Event-ID` goes on where it was. It is read from the journal as fast as
 * the client takes it: a slow one costs no memory.
 */
export function eventStream(context: Context, options: FollowOptions): Response {
  const waiting = new Waiting()
  const remove = options.streams.add(() => waiting.end())
  const stopListening = options.journal.onWritten(() => waiting.wake())
  return streamSSE(context, async (stream) => {
    stream.onAbort(() => waiting.end())
    const ticker = setInterval(() => {
      void stream.write(': alive\n\n').catch(() => waiting.end())
    }, aliveMs)
    try {
      await follow(stream, waiting, options)
    } finally {
      clearInterval(ticker)
      stopListening()
      remove()
    }
  })
}

async function follow(stream: SSEStreamingApi, waiting: Waiting, options: FollowOptions): Promise<void> {
  const { journal, query, behindBytesMax = Number.POSITIVE_INFINITY } = options
  let follower = new JournalFollower(journal.files, query, options.after)
  // Headers leave with the first bytes: a client knows that it is connected.
  await stream.write(': begin\n\n')
  while (!waiting.isEnded) {
    waiting.reset()
    if (follower.bytesBehind > behindBytesMax) {
      follower = new JournalFollower(journal.files, query, await JournalFollower.end(journal.files))
      await stream.writeSSE({ event: 'gap', data: '{}', id: follower.cursor })
    }
    const page = await follower.next(eventsPerPage)
    if (page.gap) await stream.writeSSE({ event: 'gap', data: '{}' })
    for (const event of page.events) {
      if (waiting.isEnded) return
      const told = options.told(event)
      if (told === undefined) continue
      await stream.writeSSE({ event: told.event, data: JSON.stringify(told.data), id: event.cursor })
    }
    if (page.isAtEnd) await waiting.woken()
  }
}

/** Wakes one stream when something was written, or when it has to end. */
class Waiting {
  isEnded = false
  #isWoken = false
  #resume: (() => void) | undefined

  reset(): void {
    this.#isWoken = false
  }

  wake(): void {
    this.#isWoken = true
    this.#resume?.()
    this.#resume = undefined
  }

  end(): void {
    this.isEnded = true
    this.wake()
  }

  /** Resolves at once where something came since `reset`. */
  woken(): Promise<void> {
    if (this.#isWoken || this.isEnded) return Promise.resolve()
    return new Promise((resolve) => {
      this.#resume = resolve
    })
  }
}
