import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fromBER, OctetString } from 'asn1js'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { signCms } from '../../../portal/src/pki/cms.ts'
import { limits } from '../../src/limits.ts'
import { checkProfile } from '../../src/profile/check-profile.ts'
import { readProfile } from '../../src/profile/read-profile.ts'
import { rejection } from '../support/temporary.ts'
import { type TestPortal, testPortal } from '../support/test-portal.ts'

const bundleId = 'com.example.bells'
const dayMs = 24 * 3600_000

let portal: TestPortal
let device: { deviceId: string; udid: string }
let development: Uint8Array
beforeAll(async () => {
  portal = await testPortal()
  await portal.apps.create({ bundleId, name: 'Bells & "Whistles"' })
  device = await portal.devices.add({ name: 'Kiosk' })
  development = await profile('development', [device.deviceId])
  return () => portal.close()
})

async function profile(kind: 'development' | 'adhoc' | 'appstore' | 'inhouse', deviceIds?: string[]) {
  return (await portal.profiles.create({ bundleId, kind, ...(deviceIds ? { deviceIds } : {}) })).der
}

const read = (bytes: Uint8Array, nowMs = Date.now(), rootPem = portal.ca.rootPem) =>
  readProfile(bytes, rootPem, nowMs)

describe('what the portal makes', () => {
  test.each([
    ['development', 'sandbox', true],
    ['adhoc', 'production', true],
    ['appstore', 'production', false],
    ['inhouse', 'production', false],
  ] as const)('%s registers in %s', async (kind, environment, namesDevices) => {
    const found = await read(await profile(kind, namesDevices ? [device.deviceId] : undefined))
    expect(found).toMatchObject({
      bundleId,
      environment,
      teamId: portal.team.teamId,
      allDevices: kind === 'inhouse',
      devices: namesDevices ? [device.udid] : undefined,
    })
    expect(checkProfile(found, { bundleId, udid: device.udid, nowMs: Date.now() })).toBe(environment)
  })

  test('one of an App ID without push names no environment', async () => {
    await portal.apps.create({ bundleId: 'com.example.quiet', name: 'Quiet', push: false })
    const { der } = await portal.profiles.create({ bundleId: 'com.example.quiet', kind: 'inhouse' })
    expect((await read(der)).environment).toBeUndefined()
  })

  test('it can be read until its signer expires, whether or not it is valid itself', async () => {
    const { expiresAtMs } = await read(development)
    expect((await read(development, expiresAtMs + dayMs)).expiresAtMs).toBe(expiresAtMs)
  })
})

describe('trust', () => {
  test('another portal’s profile', async () => {
    const other = await testPortal()
    const error = await rejection(read(development, Date.now(), other.ca.rootPem))
    await other.close()
    expect(error).toMatchObject({
      code: 'PROFILE_UNTRUSTED',
      message: expect.stringContaining("was not signed by this system's portal"),
    })
  })

  test('a date at which no certificate is valid', async () => {
    expect(await rejection(read(development, Date.now() + 30 * 365 * dayMs))).toMatchObject({
      code: 'PROFILE_UNTRUSTED',
    })
  })

  test('a byte changed anywhere is noticed, or changes nothing that is read', async () => {
    const whole = await read(development)
    await fc.assert(
      fc.asyncProperty(fc.nat(development.length - 1), fc.integer({ min: 1, max: 255 }), async (at, mask) => {
        const changed = development.slice()
        changed[at] = (changed[at] ?? 0) ^ mask
        const found = await read(changed).catch((error: { code?: string }) => error)
        if ('uuid' in found) expect(found).toEqual(whole)
        else expect(found.code).toMatch(/^PROFILE_(UNREADABLE|UNTRUSTED)$/)
      }),
      { numRuns: 60 },
    )
  })

  test('the content replaced by another of the same length', async () => {
    const at = Buffer.from(development).indexOf(device.udid)
    const changed = development.slice()
    changed.set(Buffer.from('00008110-00000000000000FF').subarray(0, device.udid.length), at)
    expect(at).toBeGreaterThan(0)
    expect(await rejection(read(changed))).toMatchObject({ code: 'PROFILE_UNTRUSTED' })
  })

  test('signed by the key of a push certificate of the same portal', async () => {
    const push = await portal.certificates.create({ bundleId, kind: 'universal' })
    const forged = await signedBy(push.cerDer, push.keyPem ?? '', push.chainPem)
    expect(await rejection(read(forged))).toMatchObject({
      code: 'PROFILE_UNTRUSTED',
      message: expect.stringContaining('its signer may not sign profiles'),
    })
  })

  test('the same bytes signed by the portal’s own signer are read', async () => {
    const directory = join(portal.dataDir, 'ca')
    const [cert, key] = await Promise.all(
      ['profile-signer.cert.pem', 'profile-signer.key.pem'].map((name) =>
        readFile(join(directory, name), 'utf8'),
      ),
    )
    const again = await signedBy(derOf(cert ?? ''), key ?? '', portal.ca.chainPem)
    expect(await read(again)).toEqual(await read(development))
  })
})

describe('form', () => {
  test('BER with indefinite lengths and a content in pieces is read, and its signature checked', async () => {
    const ber = indefinite(development)
    expect(ber.length).toBeGreaterThan(development.length)
    expect(await read(ber)).toEqual(await read(development))
    const at = Buffer.from(ber).indexOf('com.example.bells')
    ber[at] = 'k'.charCodeAt(0)
    expect(await rejection(read(ber))).toMatchObject({ code: 'PROFILE_UNTRUSTED' })
  })

  test.each([
    ['nothing', new Uint8Array(0)],
    ['text', Buffer.from('<?xml version="1.0"?><plist/>')],
    ['another ASN.1 value', Uint8Array.of(0x30, 0x03, 0x02, 0x01, 0x00)],
    ['too much', new Uint8Array(limits.profileBytesMax + 1)],
  ])('%s is no profile', async (_what, bytes) => {
    expect(await rejection(read(bytes))).toMatchObject({ code: 'PROFILE_UNREADABLE' })
  })

  test.each([
    ['no property list', 'hello'],
    ['a list without keys', '<plist version="1.0"><dict/></plist>'],
    ['an array', '<plist version="1.0"><array/></plist>'],
  ])('signed, but %s', async (_what, content) => {
    const directory = join(portal.dataDir, 'ca')
    const cert = derOf(await readFile(join(directory, 'profile-signer.cert.pem'), 'utf8'))
    const key = await readFile(join(directory, 'profile-signer.key.pem'), 'utf8')
    const bytes = await signedBy(cert, key, portal.ca.chainPem, Buffer.from(content))
    expect(await rejection(read(bytes))).toMatchObject({ code: 'PROFILE_UNREADABLE' })
  })

  test('cut off anywhere it is refused', async () => {
    for (let length = 0; length < development.length; length += 97)
      expect(await rejection(read(development.subarray(0, length)))).toMatchObject({
        code: expect.stringMatching(/^PROFILE_/),
      })
  })
})

/** The property list inside the development profile. */
function contentOf(cms: Uint8Array): Uint8Array {
  const text = Buffer.from(cms)
  return text.subarray(text.indexOf('<?xml'), text.indexOf('</plist>') + '</plist>'.length)
}

function signedBy(
  certificate: Uint8Array,
  keyPem: string,
  chainPem: string,
  content = contentOf(development),
) {
  const chain = chainPem.split(/(?<=-----END CERTIFICATE-----)/).filter((pem) => pem.includes('BEGIN'))
  const signer = { certificate, privateKey: derOf(keyPem), chain: chain.map(derOf) }
  return signCms(content, signer, Date.now())
}

function derOf(pem: string): Uint8Array {
  return new Uint8Array(Buffer.from(pem.replace(/-----[^-]+-----/g, ''), 'base64'))
}

/** The same values in BER: indefinite lengths outside what is signed, the content in pieces of 100 bytes. */
function indefinite(der: Uint8Array): Uint8Array {
  const content = contentOf(der)
  const digest = createHash('sha256').update(content).digest()
  if (Buffer.from(der).indexOf(digest) === -1) throw new Error('this is not the content that is signed')
  const encode = (element: Uint8Array, depth: number): Uint8Array => {
    const parsed = fromBER(element.slice().buffer).result
    const children = (parsed.valueBlock as unknown as { value?: { valueBeforeDecodeView: Uint8Array }[] })
      .value
    if (parsed instanceof OctetString && Buffer.from(element).includes('<plist')) {
      const pieces: Uint8Array[] = []
      for (let at = 0; at < content.length; at += 100) {
        const piece = content.subarray(at, at + 100)
        pieces.push(Uint8Array.of(0x04, piece.length), piece)
      }
      return Buffer.concat([Uint8Array.of(0x24, 0x80), ...pieces, Uint8Array.of(0, 0)])
    }
    // ContentInfo, its [0], SignedData, and the way to the content: four levels that nobody hashes.
    if (depth > 4 || !parsed.idBlock.isConstructed || !children || !Buffer.from(element).includes('<plist'))
      return element
    const inner = children.map((child) => encode(new Uint8Array(child.valueBeforeDecodeView), depth + 1))
    return Buffer.concat([Uint8Array.of(element[0] ?? 0, 0x80), ...inner, Uint8Array.of(0, 0)])
  }
  return new Uint8Array(encode(der, 0))
}
