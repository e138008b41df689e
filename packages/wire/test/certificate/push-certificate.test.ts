import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  pushCertificateOid,
  readCertificate,
  readDer,
  readDeviceCertificate,
  readPushCertificate,
  WireError,
} from '../../src/index.ts'
import { type CertificateParts, certificate, der, derOf, oidBytes, text } from './der-writer.ts'

const name = fc.string({ minLength: 1, maxLength: 60, unit: 'grapheme' })
const topicList = fc.array(
  fc.record({
    topic: name,
    kinds: fc.array(fc.constantFrom('app', 'voip', 'complication', 'x'), { maxLength: 3 }),
  }),
  { maxLength: 5 },
)

const base: CertificateParts = {
  serial: Uint8Array.of(0x01, 0xab, 0xcd),
  notBefore: '260101000000Z',
  notAfter: '20511231235959Z',
  subject: [
    ['0.9.2342.19200300.100.1.1', 'com.example.app'],
    ['2.5.4.3', 'Apple Push Services: com.example.app'],
  ],
  extensions: [
    { oid: '2.5.29.15', critical: true, value: Uint8Array.of(3, 2, 7, 0x80) },
    { oid: pushCertificateOid.sandbox, value: Uint8Array.of(5, 0) },
    { oid: pushCertificateOid.production, value: Uint8Array.of(5, 0) },
  ],
}

function topicsExtension(topics: { topic: string; kinds: string[] }[]) {
  const items = topics.flatMap(({ topic, kinds }) => [text(topic), derOf(0x30, ...kinds.map(text))])
  return { oid: pushCertificateOid.topics, value: derOf(0x30, ...items) }
}

describe('readPushCertificate', () => {
  test('reads names, dates, serial number, environments', () => {
    expect(readPushCertificate(certificate(base))).toEqual({
      bundleId: 'com.example.app',
      teamId: '',
      topics: [{ topic: 'com.example.app', kinds: ['app'] }],
      environments: ['sandbox', 'production'],
      serial: '01abcd',
      notBefore: Date.UTC(2026, 0, 1),
      notAfter: Date.UTC(2051, 11, 31, 23, 59, 59),
      subjectCommonName: 'Apple Push Services: com.example.app',
    })
  })

  test('reads any list of topics, several kinds for one topic included', () => {
    fc.assert(
      fc.property(name, topicList, (bundleId, topics) => {
        const parts = {
          ...base,
          subject: [['0.9.2342.19200300.100.1.1', bundleId]] as const,
          extensions: [...base.extensions, topicsExtension(topics)],
        }
        expect(readPushCertificate(certificate(parts))).toMatchObject({
          bundleId,
          topics,
          subjectCommonName: '',
        })
      }),
    )
  })

  test.each([
    ['no UID', { subject: [['2.5.4.3', 'x']] }],
    ['an empty UID', { subject: [['0.9.2342.19200300.100.1.1', '']] }],
    ['no environment', { extensions: [] }],
  ] as const)('a certificate with %s is no push certificate', (_, change) => {
    const read = () => readPushCertificate(certificate({ ...base, ...change }))
    expect(read).toThrow(WireError)
    expect(read).toThrow(expect.objectContaining({ code: 'certificate-kind-wrong' }))
  })

  test.each([
    ['an odd topic list', derOf(0x30, text('a'))],
    ['kinds that are no list', derOf(0x30, text('a'), text('app'))],
    ['a topic of another type', derOf(0x30, derOf(0x13, Uint8Array.of(0x61)), derOf(0x30))],
    ['bytes behind the list', Uint8Array.of(...derOf(0x30), 0)],
    ['an empty value', new Uint8Array()],
  ])('%s is corrupt', (_, value) => {
    const extensions = [...base.extensions, { oid: pushCertificateOid.topics, value }]
    expect(() => readPushCertificate(certificate({ ...base, extensions }))).toThrow(
      expect.objectContaining({ code: 'certificate-invalid' }),
    )
  })
})

describe('whatever the bytes are, the reader answers or throws a WireError', () => {
  const good = certificate({
    ...base,
    extensions: [...base.extensions, topicsExtension([{ topic: 'a', kinds: ['app'] }])],
  })
  const attempt = (bytes: Uint8Array): unknown => {
    try {
      return readPushCertificate(bytes)
    } catch (error) {
      expect(error).toBeInstanceOf(WireError)
      return undefined
    }
  }

  test('every prefix and every continuation is refused', () => {
    expect(attempt(good)).toBeDefined()
    for (let length = 0; length < good.length; length++)
      expect(attempt(good.subarray(0, length))).toBeUndefined()
    expect(attempt(Uint8Array.of(...good, 0))).toBeUndefined()
  })

  test('garbage', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(attempt(bytes)).toBeUndefined()
      }),
    )
  })

  test('a good certificate with some bytes changed', () => {
    const change = fc.tuple(fc.nat(good.length - 1), fc.nat(255))
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const bytes = Uint8Array.from(good)
        for (const [at, value] of changes) bytes[at] = value
        attempt(bytes)
      }),
      { numRuns: 2000 },
    )
  })

  test('deep nesting costs no stack', () => {
    let nested = derOf(0x30)
    for (let depth = 0; depth < 2000; depth++) nested = derOf(0x30, nested)
    expect(attempt(nested)).toBeUndefined()
  })
})

describe('strict DER', () => {
  test.each([
    ['an indefinite length', [0x30, 0x80, 0, 0]],
    ['a length in two forms', [0x30, 0x81, 0x01, 0x05]],
    ['a length with leading zeros', [0x30, 0x82, 0x00, 0x81]],
    ['an absurd length', [0x30, 0x84, 0xff, 0xff, 0xff, 0xff]],
    ['a tag of several bytes', [0x3f, 0x81, 0x01, 0x00]],
    ['one byte only', [0x30]],
    ['bytes behind', [0x05, 0x00, 0x00]],
  ])('%s is refused', (_, bytes) => {
    expect(() => readDer(Uint8Array.from(bytes))).toThrow(WireError)
  })

  test('elements of any length come back as they were written', () => {
    fc.assert(
      fc.property(fc.nat({ max: 0x1e }), fc.uint8Array({ maxLength: 70_000 }), (tag, content) => {
        const written = der(tag, content)
        const read = readDer(written)
        expect(read.tag).toBe(tag)
        expect(read.content.length).toBe(content.length)
        expect(read.raw.length).toBe(written.length)
      }),
      { numRuns: 40 },
    )
  })

  const changes: [string, Partial<CertificateParts>][] = [
    ['a negative serial number', { serial: Uint8Array.of(0x80) }],
    ['a padded serial number', { serial: Uint8Array.of(0x00, 0x01) }],
    ['an empty serial number', { serial: new Uint8Array() }],
    ['a day that does not exist', { notBefore: '260230000000Z' }],
    ['an hour that does not exist', { notBefore: '260101240000Z' }],
    ['a time without seconds', { notBefore: '2601010000Z' }],
    ['a time with a zone', { notBefore: '260101000000+0100' }],
    ['two extensions of one kind', { extensions: [base.extensions[1]!, base.extensions[1]!] }],
  ]
  test.each(changes)('%s is refused', (_, change) => {
    expect(() => readCertificate(certificate({ ...base, ...change }))).toThrow(
      expect.objectContaining({ code: 'certificate-invalid' }),
    )
  })

  test('serial numbers lose their sign byte, years before 2000 stay', () => {
    const parts = { ...base, serial: Uint8Array.of(0x00, 0x80, 0x01), notBefore: '991231000000Z' }
    expect(readCertificate(certificate(parts))).toMatchObject({
      serial: '8001',
      notBefore: Date.UTC(1999, 11, 31),
    })
  })

  test('the critical flag is told, object identifiers of every size are read', () => {
    const oids = ['2.999.3', '1.2.840.113549.1.1.11', '0.9.2342.19200300.100.1.1', '2.5.29.19', '1.39.0']
    const extensions = oids.map((oid, index) => ({
      oid,
      critical: index % 2 === 0,
      value: Uint8Array.of(5, 0),
    }))
    const read = readCertificate(certificate({ ...base, extensions })).extensions
    expect([...read].map(([oid, { critical }]) => [oid, critical])).toEqual(
      oids.map((oid, index) => [oid, index % 2 === 0]),
    )
    expect(oidBytes('2.999.3')).toEqual([0x88, 0x37, 0x03])
  })
})

test('a device certificate gives UDID, device id and public key, others are refused', () => {
  const subject = [
    ['0.9.2342.19200300.100.1.1', '00008110-001A2B3C4D5E6F70'],
    ['2.5.4.3', 'ABCDEFGHIJ'],
  ] as const
  const facts = readDeviceCertificate(certificate({ ...base, subject, extensions: [] }))
  expect(facts).toMatchObject({ udid: '00008110-001A2B3C4D5E6F70', deviceId: 'ABCDEFGHIJ', serial: '01abcd' })
  expect(readDer(facts.publicKey).tag).toBe(0x30)
  expect(() => readDeviceCertificate(certificate({ ...base, subject: subject.slice(0, 1) }))).toThrow(
    expect.objectContaining({ code: 'certificate-kind-wrong' }),
  )
})
