import { apnsIdText } from '@carillon/wire'
import { expect, onTestFinished, test } from 'vitest'
import { createAdminApi } from '../../src/admin/api.ts'
import { OpenStreams } from '../../src/admin/open-streams.ts'
import { receiptRoutes } from '../../src/admin/routes/receipt-routes.ts'
import { traceStream } from '../../src/admin/routes/trace-stream.ts'
import { limits } from '../../src/limits.ts'
import { idOf, messageOf, TraceWorld } from '../trace/trace-world.ts'

const more = Math.ceil(limits.traceBehindBytesMax / 80) + 20_000

/** Streams over a real journal, read by hand. */
async function open(path: string) {
  const world = new TraceWorld()
  const { trace, journal } = await world.open()
  const streams = new OpenStreams()
  onTestFinished(() => streams.close())
  const routes = [traceStream(journal, streams), receiptRoutes(journal, streams)]
  const api = createAdminApi({ key: 'key', routes, onFailure: () => {} })
  const response = await api.request(path, { headers: { authorization: 'Bearer key' } })
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  const readUntil = async (text: string): Promise<string> => {
    let read = ''
    while (!read.includes(text)) {
      const { value, done } = await reader.read()
      if (done) throw new Error(`the stream ended before "${text}" came`)
      read += value
    }
    return read
  }
  /** So much happens that a reader who does not read is far behind. */
  const muchHappens = async () => {
    for (let number = 0; number < more; number++) {
      trace.acknowledged(messageOf(number), 0, false, world.nowMs)
      if (number % 20_000 === 0) await journal!.files.flush()
    }
    await journal!.files.flush()
  }
  return { trace, journal: journal!, readUntil, muchHappens }
}

test('a slow reader of the live stream is told of a gap, and goes on with what happens then', async () => {
  const { trace, journal, readUntil, muchHappens } = await open('/v1/traces/stream')
  await readUntil(': begin')
  await muchHappens()
  const read = await readUntil('event: gap')
  // What had been written for it before, and no more.
  expect(read.split('event: acknowledged').length).toBeLessThan(1000)
  trace.received(messageOf(77_000_000), '')
  await journal.files.flush()
  expect(await readUntil(apnsIdText(idOf(77_000_000)))).not.toContain('event: acknowledged')
})

test('a slow reader of receipts loses nothing', async () => {
  const { readUntil, muchHappens } = await open('/v1/receipts/stream?after=0.0')
  await readUntil(': begin')
  await muchHappens()
  const read = await readUntil(apnsIdText(idOf(1000)))
  expect(read).not.toContain('event: gap')
  expect(read.split('event: delivered').length - 1).toBe(1001)
})

test('more streams than the bound are told to come again', () => {
  const streams = new OpenStreams()
  const ends = Array.from({ length: limits.adminStreamsMax }, () => streams.add(() => {}))
  expect(() => streams.add(() => {})).toThrow('64 streams are open already; end one first.')
  ends[0]!()
  streams.add(() => {})
})
