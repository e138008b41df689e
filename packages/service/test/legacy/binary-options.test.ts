import { expect, test } from 'vitest'
import { binaryOptionsDefault, binaryOptionsOf } from '../../src/legacy/binary-options.ts'

test('defaults, and what is given', () => {
  expect(binaryOptionsOf()).toEqual(binaryOptionsDefault)
  const unsaid = { unframedPayloadBytesMax: undefined } as never
  expect(binaryOptionsOf(unsaid)).toEqual(binaryOptionsDefault)
  expect(binaryOptionsOf({ unframedPayloadBytesMax: 256 })).toEqual({
    unframedPayloadBytesMax: 256,
    missingExpiration: 'once',
  })
})

test.each([
  [{ unframedPayloadBytesMax: 512 }, 'binary.unframedPayloadBytesMax cannot be 512.'],
  [{ missingExpiration: 'never' }, 'binary.missingExpiration cannot be never.'],
  [{ payload: 1 }, 'There is no option binary.payload.'],
])('%o is refused by name', (given, message) => {
  expect(() => binaryOptionsOf(given as never)).toThrow(
    expect.objectContaining({ code: 'OPTION_INVALID', message, fix: expect.stringContaining('256 or 2048') }),
  )
})
