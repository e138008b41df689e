import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  BinaryErrorReader,
  binaryStatuses,
  binaryStatusName,
  decodeBinaryError,
  encodeBinaryError,
} from '../../src/binary/index.ts'
import { hexBytes, hexText } from '../../src/bytes/index.ts'
import { WireError } from '../../src/wire-error.ts'
import { chunksOf, readAll, survives } from '../splits.ts'

// Apple, "Binary Provider API" (archived): the codes that it lists.
test.each([
  [0, 'noErrors'],
  [1, 'processingError'],
  [2, 'missingDeviceToken'],
  [3, 'missingTopic'],
  [4, 'missingPayload'],
  [5, 'invalidTokenSize'],
  [6, 'invalidTopicSize'],
  [7, 'invalidPayloadSize'],
  [8, 'invalidToken'],
  [10, 'shutdown'],
  [128, 'protocolError'],
  [255, 'none'],
] as const)('status %d is %s', (code, name) => {
  expect(binaryStatuses[name].code).toBe(code)
  expect(binaryStatusName(code)).toBe(name)
})

test('status 9 is not used', () => {
  expect(binaryStatusName(9)).toBeUndefined()
  expect(Object.keys(binaryStatuses)).toHaveLength(12)
})

test('golden bytes', () => {
  const packet = { status: binaryStatuses.invalidToken.code, identifier: 0x01020304 }
  expect(hexText(encodeBinaryError(packet))).toBe('080801020304')
  expect(decodeBinaryError(hexBytes('080801020304'))).toEqual({ value: packet, next: 6 })
})

test('any packet comes back, whole or in pieces', () => {
  fc.assert(
    fc.property(fc.nat(0xff), fc.nat(0xffff_ffff), fc.array(fc.nat(6)), (status, identifier, cuts) => {
      const bytes = encodeBinaryError({ status, identifier })
      for (let end = 0; end < bytes.length; end++) expect(decodeBinaryError(bytes, 0, end)).toBeUndefined()
      expect(readAll(new BinaryErrorReader(), chunksOf(bytes, cuts))).toEqual([{ status, identifier }])
    }),
  )
})

test('another answer is corrupt', () => {
  expect(() => decodeBinaryError(hexBytes('48'))).toThrow(
    expect.objectContaining({ code: 'frame-unexpected' }),
  )
})

test.each([
  { status: 256, identifier: 0 },
  { status: 0, identifier: -1 },
])('%j cannot be written', (packet) => {
  expect(() => encodeBinaryError(packet)).toThrow(WireError)
})

test('garbage ends, and throws nothing but WireError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 30 }), (bytes) =>
      survives(() => readAll(new BinaryErrorReader(), [bytes]), WireError),
    ),
  )
})
