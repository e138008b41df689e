import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { concatBytes, hexBytes } from '../../src/bytes/index.ts'
import { CourierMessageReader, encodeCourierMessage } from '../../src/courier/index.ts'
import { WireError } from '../../src/wire-error.ts'
import { chunksOf, readAll, splitsOf, survives } from '../splits.ts'
import { arbitraryMessageFrom } from './arbitrary-message.ts'

describe('CourierMessageReader', () => {
  test.each(['device', 'courier'] as const)(
    'any split of a stream from the %s gives the same messages',
    (from) => {
      const streams = fc
        .array(arbitraryMessageFrom(from), { minLength: 1, maxLength: 6 })
        .map((messages) => ({ messages, bytes: concatBytes(...messages.map(encodeCourierMessage)) }))
        .chain(({ messages, bytes }) => splitsOf(bytes.length).map((cuts) => ({ messages, bytes, cuts })))
      fc.assert(
        fc.property(streams, ({ messages, bytes, cuts }) => {
          const reader = new CourierMessageReader({ from })
          expect(readAll(reader, chunksOf(bytes, cuts))).toEqual(messages)
          expect(reader.pendingBytes).toBe(0)
        }),
      )
    },
  )

  test('byte by byte', () => {
    const bytes = concatBytes(
      encodeCourierMessage({ type: 'ack', id: 1, status: 0 }),
      encodeCourierMessage({ type: 'keepAlive' }),
    )
    const reader = new CourierMessageReader({ from: 'device' })
    expect(readAll(reader, chunksOf(bytes, [...bytes.keys()]))).toEqual([
      { type: 'ack', id: 1, status: 0 },
      { type: 'keepAlive' },
    ])
  })

  test('a frame that sits in one chunk is not copied', () => {
    const chunk = encodeCourierMessage({ type: 'flushReply', padding: hexBytes('0102') })
    const reader = new CourierMessageReader({ from: 'device' })
    reader.push(chunk)
    const message = reader.next()
    if (message?.type !== 'flushReply') throw new Error('not read')
    expect(message.padding!.buffer).toBe(chunk.buffer)
  })

  test('a length over the limit is refused before its bytes arrive, and the limit can be raised', () => {
    const header = hexBytes('0f00000100')
    const reader = new CourierMessageReader({ from: 'device', frameBytesMax: 64 })
    reader.push(header)
    expect(() => reader.next()).toThrow(expect.objectContaining({ code: 'frame-too-long' }))
    expect(() => reader.next()).toThrow(WireError)
    reader.frameBytesMax = 300
    expect(reader.next()).toBeUndefined()
    expect(reader.pendingBytes).toBe(5)
  })

  test('garbage ends, and throws nothing but WireError', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 }), (chunks) =>
        survives(() => readAll(new CourierMessageReader({ from: 'device' }), chunks), WireError),
      ),
      { numRuns: 1000 },
    )
  })
})
