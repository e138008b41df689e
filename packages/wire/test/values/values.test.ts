import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import {
  apnsIdBytes,
  apnsIdOf,
  apnsIdText,
  apsEnvironmentOf,
  bundleIdProblem,
  collapseIdBytesMax,
  decodeDeviceToken,
  deviceTokenBytesMax,
  encodeDeviceToken,
  environmentOfApsEnvironment,
  environments,
  expirationSecondsMax,
  isApnsId,
  isBundleId,
  isCollapseId,
  isDeviceToken,
  isEnvironment,
  isHex,
  isKeyId,
  isSameApnsId,
  isTeamId,
  normalDeviceToken,
  parseExpiration,
  parsePriority,
  priorities,
  tenCharacterIdOf,
  utf8Length,
} from '../../src/index.ts'
import { apnsEnvironmentCases, badBundleIds, goodBundleIds } from './cases.ts'

describe('environment', () => {
  test.each(apnsEnvironmentCases)('aps-environment %s is %s', (value, environment) => {
    expect(environmentOfApsEnvironment(value)).toBe(environment)
  })

  it('converts to the entitlement and back', () => {
    for (const environment of environments) {
      expect(environmentOfApsEnvironment(apsEnvironmentOf(environment))).toBe(environment)
      expect(isEnvironment(environment)).toBe(true)
    }
    expect(isEnvironment('development')).toBe(false)
  })
})

describe('device token', () => {
  const bytes = fc.uint8Array({ minLength: 1, maxLength: deviceTokenBytesMax })

  it('comes back from its hex in either case', () => {
    fc.assert(
      fc.property(bytes, (value) => {
        const text = encodeDeviceToken(value)
        expect(text).toBe(text.toLowerCase())
        expect(decodeDeviceToken(text)).toEqual(value)
        expect(decodeDeviceToken(text.toUpperCase())).toEqual(value)
        expect(normalDeviceToken(text.toUpperCase())).toBe(text)
        expect(isDeviceToken(text)).toBe(true)
      }),
    )
  })

  it('agrees with a plain pattern on any text', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom(...'0aF9gG/:@`') }),
    )
    fc.assert(
      fc.property(text, (value) => {
        const expected = /^(?:[0-9a-fA-F]{2}){1,100}$/.test(value)
        expect(isDeviceToken(value)).toBe(expected)
        expect(decodeDeviceToken(value) !== undefined).toBe(expected)
      }),
    )
  })

  test.each([
    ['empty', ''],
    ['odd', 'abc'],
    ['101 bytes', 'ab'.repeat(101)],
    ['a space', 'ab cd '],
    ['a digit of another script', '\u0661\u0662'],
  ])('refuses %s', (_, text) => {
    expect(isDeviceToken(text)).toBe(false)
    expect(decodeDeviceToken(text)).toBeUndefined()
  })

  it('keeps a lower-case token as the same string', () => {
    expect(normalDeviceToken('00ff')).toBe('00ff')
    expect(normalDeviceToken('00fF')).toBe('00ff')
  })
})

describe('hex', () => {
  it('looks only at the range asked for', () => {
    expect(isHex('zz00zz', 2, 4)).toBe(true)
    expect(isHex('zz0zzz', 2, 4)).toBe(false)
    expect(isHex('')).toBe(true)
  })
})

describe('apns-id', () => {
  const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

  it('is a version 4 UUID made of 16 bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (random) => {
        const id = apnsIdOf(random)
        expect(id).toMatch(uuid)
        expect(isApnsId(id)).toBe(true)
        expect(isApnsId(id.toUpperCase())).toBe(true)
        expect(isSameApnsId(id, id.toUpperCase())).toBe(true)
      }),
    )
  })

  it('keeps every bit but the six of version and variant', () => {
    expect(apnsIdOf(new Uint8Array(16).fill(255))).toBe('ffffffff-ffff-4fff-bfff-ffffffffffff')
    expect(apnsIdOf(new Uint8Array(16))).toBe('00000000-0000-4000-8000-000000000000')
    const random = Uint8Array.from({ length: 16 }, (_, index) => index * 17)
    expect(apnsIdOf(random)).toBe('00112233-4455-4677-8899-aabbccddeeff')
  })

  it('refuses another number of bytes', () => {
    expect(() => apnsIdOf(new Uint8Array(15))).toThrow('16 random bytes')
  })

  test.each([
    '',
    'not a uuid',
    '00112233445546778899aabbccddeeff',
    '{00112233-4455-4677-8899-aabbccddeeff}',
    '00112233-4455-4677-8899-aabbccddeef',
    '00112233-4455-4677-8899-aabbccddeefff',
    '00112233-4455-4677-8899-aabbccddeefg',
    '0011223-34455-4677-8899-aabbccddeeff',
    '00112233-4455-4677-8899-aabbccddee-f',
  ])('refuses %j', (text) => {
    expect(isApnsId(text)).toBe(false)
  })

  it('has 16 bytes exactly where it is one, in either case', () => {
    const id = fc.uuid().chain((text) => fc.mixedCase(fc.constant(text)))
    fc.assert(
      fc.property(
        id,
        fc.nat(35),
        fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
        (text, at, other) => {
          expect(apnsIdText(apnsIdBytes(text)!)).toBe(text.toLowerCase())
          const changed = text.slice(0, at) + other + text.slice(at + 1)
          expect(apnsIdBytes(changed) !== undefined).toBe(isApnsId(changed))
        },
      ),
    )
    // Characters whose lower seven bits are those of a digit or a hyphen are none.
    for (const index of [0, 8, 35]) {
      const text = '00112233-4455-4677-8899-aabbccddeeff'
      const alike = String.fromCharCode(text.charCodeAt(index) + 128)
      expect(apnsIdBytes(text.slice(0, index) + alike + text.slice(index + 1))).toBeUndefined()
    }
  })

  it('takes different ids as different', () => {
    expect(isSameApnsId('00112233-4455-4677-8899-aabbccddeeff', '10112233-4455-4677-8899-aabbccddeeff')).toBe(
      false,
    )
  })
})

describe('priority and expiration', () => {
  it('reads the three priorities and nothing else', () => {
    for (const priority of priorities) expect(parsePriority(String(priority))).toBe(priority)
    for (const text of ['', '0', '2', '05', '10.0', ' 10', '10 ', '-5', 'high']) {
      expect(parsePriority(text)).toBeUndefined()
    }
  })

  it('reads every whole number of 32 bits', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: expirationSecondsMax }), (seconds) => {
        expect(parseExpiration(String(seconds))).toBe(seconds)
        expect(parseExpiration(`000${seconds}`)).toBe(seconds)
      }),
    )
  })

  test.each(['', ' ', '-1', '+1', '1.5', '1e9', '0x10', '1 ', 'tomorrow', '4294967296', '9'.repeat(400)])(
    'refuses the expiration %j',
    (text) => {
      expect(parseExpiration(text)).toBe(-1)
    },
  )
})

describe('collapse id', () => {
  const encoder = new TextEncoder()

  it('counts bytes like TextEncoder, on any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (text) => {
        const bytes = encoder.encode(text).length
        expect(utf8Length(text)).toBe(bytes)
        expect(isCollapseId(text)).toBe(bytes <= collapseIdBytesMax)
      }),
    )
  })

  test.each(['\ud800', '\udc00x', 'a\ud800\ud800\udc00', '\ud83d\ude00'])(
    'counts surrogates in %j',
    (text) => {
      expect(utf8Length(text)).toBe(encoder.encode(text).length)
    },
  )

  it('allows 64 bytes and not 65', () => {
    expect(isCollapseId('x'.repeat(64))).toBe(true)
    expect(isCollapseId('x'.repeat(65))).toBe(false)
    expect(isCollapseId('é'.repeat(32))).toBe(true)
    expect(isCollapseId(`${'é'.repeat(32)}x`)).toBe(false)
  })
})

describe('bundle id', () => {
  test.each(goodBundleIds)('takes %j', (text) => {
    expect(bundleIdProblem(text)).toBeUndefined()
    expect(isBundleId(text)).toBe(true)
  })

  test.each(badBundleIds)('refuses %j and says %s', (text, part) => {
    expect(bundleIdProblem(text)).toContain(part)
    expect(isBundleId(text)).toBe(false)
  })
})

describe('team id and key id', () => {
  it('is ten capital letters and digits', () => {
    for (const isId of [isTeamId, isKeyId]) {
      expect(isId('A1B2C3D4E5')).toBe(true)
      for (const text of ['', 'A1B2C3D4E', 'A1B2C3D4E56', 'a1b2c3d4e5', 'A1B2C3D4E-', 'A1B2C3D4É5']) {
        expect(isId(text)).toBe(false)
      }
    }
  })

  it('is made of random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 10, maxLength: 12 }), (random) => {
        expect(isTeamId(tenCharacterIdOf(random))).toBe(true)
      }),
    )
    expect(() => tenCharacterIdOf(new Uint8Array(9))).toThrow('10 random bytes')
  })
})
