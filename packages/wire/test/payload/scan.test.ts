import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { payloadDepthMax, payloadFault, payloadFlag, scanPayload } from '../../src/index.ts'

const encoder = new TextEncoder()
const strictDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const scan = (text: string) => scanPayload(encoder.encode(text))

/** The same answer, made from the objects of JSON.parse. */
function expectedOf(bytes: Uint8Array): number {
  let value: unknown
  try {
    value = JSON.parse(strictDecoder.decode(bytes))
  } catch {
    return -1
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return -1
  const aps = (value as Record<string, unknown>).aps
  let flags: number = payloadFlag.object
  if (typeof aps !== 'object' || aps === null || Array.isArray(aps)) return flags
  const keys = aps as Record<string, unknown>
  const isShown = (key: string) => keys[key] !== undefined && keys[key] !== null && keys[key] !== ''
  flags |= payloadFlag.aps
  if (isShown('alert')) flags |= payloadFlag.alert
  if (isShown('sound')) flags |= payloadFlag.sound
  if (isShown('badge')) flags |= payloadFlag.badge
  if (keys['content-available'] === 1 || keys['content-available'] === true)
    flags |= payloadFlag.contentAvailable
  if (keys['mutable-content'] === 1 || keys['mutable-content'] === true) flags |= payloadFlag.mutableContent
  return flags
}

function expectSame(bytes: Uint8Array): void {
  const found = scanPayload(bytes)
  expect(found < 0 ? -1 : found).toBe(expectedOf(bytes))
  expect(scanPayload(bytes, false)).toBe(found < 0 ? found : payloadFlag.object)
}

const apsKey = fc.constantFrom(
  'aps',
  'alert',
  'badge',
  'sound',
  'content-available',
  'mutable-content',
  'a\\',
  '',
)
const apsValue = fc.constantFrom<unknown>(
  1,
  0,
  true,
  false,
  null,
  '',
  'x',
  {},
  [],
  [1],
  { title: 'x' },
  -1,
  1.5,
  '1',
)
const apsObject = fc.dictionary(apsKey, apsValue)
const payload = fc.oneof(
  fc.dictionary(apsKey, fc.oneof(apsObject, apsValue, fc.dictionary(apsKey, apsObject))),
  apsObject.map((aps) => ({ aps })),
)

/** Turns some characters inside the strings of a JSON text into their escapes, which means the same. */
function escapeSome(text: string, seed: number): string {
  return text.replace(/[a-z]/g, (letter, at: number) =>
    (at * 31 + seed) % 7 === 0 && isInString(text, at) ? `\\u00${letter.charCodeAt(0).toString(16)}` : letter,
  )
}

function isInString(text: string, at: number): boolean {
  let isInside = false
  for (let index = 0; index < at; index++) {
    if (text[index] === '\\') index += 1
    else if (text[index] === '"') isInside = !isInside
  }
  return isInside && text[at - 1] !== '\\'
}

describe('scanPayload against JSON.parse', () => {
  const options = { numRuns: 3000 }

  it('agrees on payloads, with white space and with escaped letters', () => {
    fc.assert(
      fc.property(payload, fc.constantFrom(undefined, 1, '\t', '\r\n '), fc.nat(), (value, indent, seed) => {
        const text = JSON.stringify(value, undefined, indent)
        expectSame(encoder.encode(text))
        expectSame(encoder.encode(escapeSome(text, seed)))
      }),
      options,
    )
  })

  it('agrees on any JSON value', () => {
    fc.assert(
      fc.property(fc.json(), (text) => expectSame(encoder.encode(text))),
      options,
    )
    fc.assert(
      fc.property(fc.json(), (text) => expectSame(encoder.encode(`{"x":${text}}`))),
      options,
    )
  })

  it('agrees on JSON text with characters removed, doubled, swapped or replaced', () => {
    const edit = fc.record({
      at: fc.nat(),
      kind: fc.constantFrom('remove', 'double', 'replace'),
      with: fc.constantFrom(...'{}[]",:\\0123456789.eE+-truefalsn \n\t\u0000\u007f\u2028é😀'),
    })
    fc.assert(
      fc.property(payload, fc.array(edit, { minLength: 1, maxLength: 3 }), (value, edits) => {
        const text = [...JSON.stringify(value)]
        for (const { at, kind, with: character } of edits) {
          const index = at % (text.length + 1)
          if (kind === 'remove') text.splice(index, 1)
          else if (kind === 'double') text.splice(index, 0, text[index] ?? character)
          else text[index] = character
        }
        expectSame(encoder.encode(text.join('')))
      }),
      options,
    )
  })

  it('agrees on strings of tokens', () => {
    const token = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"aps"',
      '"alert"',
      '"badge"',
      '"x"',
      '1',
      '-0',
      '0.5',
      '1e5',
      '1.',
      '01',
      '-',
      '1E+2',
      'true',
      'null',
      'false',
      'nul',
      ' ',
      '\n',
      '""',
      '"\\u12',
      '"\\x"',
      '{"aps":{',
      '"content-available":1',
    )
    fc.assert(
      fc.property(fc.array(token, { maxLength: 14 }), (list) => expectSame(encoder.encode(list.join('')))),
      options,
    )
  })

  it('agrees on any bytes, alone and inside a string', () => {
    const bytes = fc.uint8Array({ maxLength: 12 })
    const high = fc.array(
      fc.constantFrom(
        0x7f,
        0x80,
        0xbf,
        0xc0,
        0xc2,
        0xdf,
        0xe0,
        0xa0,
        0xed,
        0x9f,
        0xef,
        0xf0,
        0x90,
        0xf4,
        0x8f,
        0xf5,
        0xff,
      ),
      { maxLength: 6 },
    )
    fc.assert(
      fc.property(bytes, (value) => expectSame(value)),
      options,
    )
    fc.assert(
      fc.property(fc.oneof(bytes, high), (value) => {
        expectSame(Uint8Array.from([...encoder.encode('{"x":"'), ...value, ...encoder.encode('"}')]))
      }),
      options,
    )
  })

  it('refuses every proper prefix of a payload', () => {
    fc.assert(
      fc.property(payload, (value) => {
        const bytes = encoder.encode(JSON.stringify(value))
        for (let length = 0; length < bytes.length; length++)
          expect(scanPayload(bytes.subarray(0, length))).toBeLessThan(0)
      }),
    )
  })
})

describe('scanPayload', () => {
  const { object, aps, alert, badge, sound, contentAvailable, mutableContent } = payloadFlag

  test.each([
    ['{}', object],
    ['{"aps":{}}', object | aps],
    ['{"aps":1}', object],
    ['{"aps":{"alert":"hi","badge":0,"sound":"default"}}', object | aps | alert | badge | sound],
    ['{"aps":{"content-available":1}}', object | aps | contentAvailable],
    ['{"aps":{"content-available":1.0}}', object | aps | contentAvailable],
    ['{"aps":{"content-available":10e-1}}', object | aps | contentAvailable],
    ['{"aps":{"content-available":0.1e1}}', object | aps | contentAvailable],
    ['{"aps":{"content-available":0}}', object | aps],
    ['{"aps":{"content-available":"1"}}', object | aps],
    ['{"aps":{"content-available":{"1":1}}}', object | aps],
    ['{"aps":{"alert":{},"mutable-content":1}}', object | aps | alert | mutableContent],
    ['{"aps":{"alert":"","sound":""}}', object | aps],
    ['{"aps":{"alert":null,"badge":null}}', object | aps],
    // Only the aps of the root counts, and only its own keys.
    ['{"x":{"aps":{"alert":"hi"}}}', object],
    ['{"alert":"hi","x":[{"alert":1}],"aps":{"x":{"alert":1}}}', object | aps],
    ['{"aps":{},"x":{"alert":1}}', object | aps],
    ['{"aps":{"x":[1,{"y":2}],"alert":"hi"}}', object | aps | alert],
    // Of a repeated key the last counts.
    ['{"aps":{"alert":"hi"},"aps":{}}', object | aps],
    ['{"aps":{"alert":"hi"},"aps":1}', object],
    ['{"aps":{"alert":"hi","alert":null}}', object | aps],
    // A key may be written with escapes.
    ['{"\\u0061ps":{"\\u0061lert":"hi"}}', object | aps | alert],
    ['{"aps":{"content\\u002davailable":1}}', object | aps | contentAvailable],
  ])('%s has the flags %i', (text, flags) => {
    expect(scan(text)).toBe(flags)
  })

  test.each<[string, Uint8Array, number]>([
    ['nothing', new Uint8Array(), payloadFault.empty],
    ['white space', encoder.encode(' \r\n\t'), payloadFault.empty],
    ['text', encoder.encode('hello'), payloadFault.notJson],
    ['an array', encoder.encode('[{"aps":{"alert":"x"}}]'), payloadFault.notObject],
    ['a string', encoder.encode('"aps"'), payloadFault.notObject],
    ['null', encoder.encode('null'), payloadFault.notObject],
    ['a broken array', encoder.encode('[1,]'), payloadFault.notJson],
    ['a byte order mark', Uint8Array.of(0xef, 0xbb, 0xbf, 0x7b, 0x7d), payloadFault.notJson],
    ['a cut character', Uint8Array.of(0x7b, 0x22, 0xc3), payloadFault.notUtf8],
    ['an overlong character', Uint8Array.of(0x7b, 0x22, 0xc0, 0xaf, 0x22), payloadFault.notUtf8],
    ['an encoded surrogate', Uint8Array.of(0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22), payloadFault.notUtf8],
    ['a control character in a string', encoder.encode('{"a":"\u0001"}'), payloadFault.notJson],
    ['two objects', encoder.encode('{}{}'), payloadFault.notJson],
    ['a comment', encoder.encode('{}// x'), payloadFault.notJson],
  ])('names the fault of %s', (_, bytes, fault) => {
    expect(scanPayload(bytes)).toBe(fault)
  })

  test.each([
    ['arrays', '[', ']', '1'],
    ['objects', '{"a":', '}', '1'],
  ])('allows %s to the limit of depth and no further', (_, open, close, inner) => {
    const nested = (depth: number) => `{"x":${open.repeat(depth - 1)}${inner}${close.repeat(depth - 1)}}`
    expect(scan(nested(payloadDepthMax))).toBe(payloadFlag.object)
    expect(scan(nested(payloadDepthMax + 1))).toBe(payloadFault.tooDeep)
    expect(scan(nested(100_000))).toBe(payloadFault.tooDeep)
  })
})
