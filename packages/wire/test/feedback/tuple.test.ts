import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ByteWriter, hexBytes, hexText } from '../../src/bytes/index.ts'
import {
  appendFeedbackTuple,
  decodeFeedbackTuple,
  encodeFeedbackTuple,
  FeedbackReader,
} from '../../src/feedback/index.ts'
import { WireError } from '../../src/wire-error.ts'
import { chunksOf, readAll, splitsOf, survives } from '../splits.ts'

const anyTuple = fc.record({
  atSeconds: fc.nat(0xffff_ffff),
  token: fc.uint8Array({ minLength: 1, maxLength: 100 }),
})

test('golden bytes', () => {
  const tuple = { atSeconds: 1_900_000_000, token: hexBytes('aa'.repeat(32)) }
  const hex = `713fb3000020${'aa'.repeat(32)}`
  expect(hexText(encodeFeedbackTuple(tuple))).toBe(hex)
  expect(decodeFeedbackTuple(hexBytes(hex))).toEqual({ value: tuple, next: 38 })
})

test('any tuple comes back, and every prefix is incomplete', () => {
  fc.assert(
    fc.property(anyTuple, (tuple) => {
      const bytes = encodeFeedbackTuple(tuple)
      for (let end = 0; end < bytes.length; end++) expect(decodeFeedbackTuple(bytes, 0, end)).toBeUndefined()
      expect(decodeFeedbackTuple(bytes)).toEqual({ value: tuple, next: bytes.length })
    }),
  )
})

test('any split of a stream gives the same tuples', () => {
  const streams = fc
    .array(anyTuple, { maxLength: 8 })
    .map((tuples) => {
      const writer = new ByteWriter()
      for (const tuple of tuples) appendFeedbackTuple(writer, tuple)
      return { tuples, bytes: writer.finish() }
    })
    .chain((stream) => splitsOf(stream.bytes.length).map((cuts) => ({ ...stream, cuts })))
  fc.assert(
    fc.property(streams, ({ tuples, bytes, cuts }) => {
      const reader = new FeedbackReader()
      expect(readAll(reader, chunksOf(bytes, cuts))).toEqual(tuples)
      expect(reader.pendingBytes).toBe(0)
    }),
  )
})

test('a stream that was cut off leaves bytes pending', () => {
  const reader = new FeedbackReader()
  reader.push(hexBytes('713fb3000020aa'))
  expect(reader.next()).toBeUndefined()
  expect(reader.pendingBytes).toBe(7)
})

test.each([0, 101])('a token of %d bytes is refused on both sides', (length) => {
  const refused = expect.objectContaining({ code: 'feedback-tuple-invalid' })
  expect(() => encodeFeedbackTuple({ atSeconds: 0, token: new Uint8Array(length) })).toThrow(refused)
  expect(() => decodeFeedbackTuple(Uint8Array.of(0, 0, 0, 0, 0, length))).toThrow(refused)
})

test('a time beyond 32 bits cannot be written', () => {
  expect(() => encodeFeedbackTuple({ atSeconds: 2 ** 32, token: hexBytes('aa') })).toThrow(WireError)
})

test('garbage ends, and throws nothing but WireError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) =>
      survives(() => readAll(new FeedbackReader(), [bytes]), WireError),
    ),
    { numRuns: 1000 },
  )
})
