import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { AuthorityDeviceTrust } from '../../src/courier/device-trust.ts'
import { MemoryAuthority } from '../memory-authority.ts'
import { nowMs } from '../store/store-fixture.ts'
import { DeviceAuthority } from './device-certificates.ts'

let ours: DeviceAuthority
let foreign: DeviceAuthority
let authority: MemoryAuthority
let trust: AuthorityDeviceTrust

beforeAll(async () => {
  ours = await DeviceAuthority.make(nowMs)
  foreign = await DeviceAuthority.make(nowMs)
  authority = new MemoryAuthority()
  authority.deviceCaPem.push(...ours.deviceCaPem)
  trust = new AuthorityDeviceTrust(authority)
})

test.each(['p256', 'rsa'] as const)(
  'a device of ours is known by the id in its certificate (%s)',
  async (type) => {
    const { der } = await ours.device('D-1', type)
    const identity = trust.identify([der], nowMs)
    expect(identity).toMatchObject({ deviceId: 'D-1' })
    // Further certificates of the chain are allowed and not needed.
    expect(trust.identify([der, ours.deviceCa.der], nowMs)).toMatchObject({ deviceId: 'D-1' })
  },
)

test('the chain in one PEM text is read as well', async () => {
  const joined = new MemoryAuthority()
  joined.deviceCaPem.push(ours.deviceCaPem.join('\n'))
  const { der } = await ours.device('D-2')
  expect(new AuthorityDeviceTrust(joined).identify([der], nowMs)).toMatchObject({ deviceId: 'D-2' })
})

test.each([
  [
    'of another system with the same names',
    async () => (await foreign.device('D-1')).der,
    'certificate of another authority',
  ],
  [
    'signed by the root, which signs authorities only',
    async () => (await ours.deviceOfRoot('D-1')).der,
    'certificate of another authority',
  ],
  ['for servers', async () => (await ours.deviceAsServer('D-1')).der, 'certificate for another use'],
  ['the device CA itself', async () => ours.deviceCa.der, 'certificate unreadable'],
  ['a server certificate', async () => (await ours.server()).der, 'certificate unreadable'],
  [
    'expired',
    async () => (await ours.device('D-1', 'p256', { notAfter: nowMs - 1000 })).der,
    'certificate out of date',
  ],
  [
    'not yet valid',
    async () => (await ours.device('D-1', 'p256', { notBefore: nowMs + 1000 })).der,
    'certificate out of date',
  ],
  [
    'of a CA that has expired',
    async () => (await ours.device('D-1', 'p256', { notAfter: nowMs + 1e12 })).der,
    'certificate out of date',
    60 * 86_400_000,
  ],
  ['garbage', async () => new Uint8Array(50).fill(0x30), 'certificate unreadable'],
  ['empty', async () => new Uint8Array(0), 'certificate unreadable'],
] as const)('not accepted: %s', async (_name, make, reason, later = 0) => {
  expect(trust.identify([await make()], nowMs + later)).toBe(reason)
})

test('a changed certificate is not accepted', async () => {
  const { der } = await ours.device('D-1')
  const changed = der.slice()
  changed[changed.length - 1]! ^= 1
  expect(['certificate of another authority', 'certificate unreadable']).toContain(
    trust.identify([changed], nowMs),
  )
})

test('a certificate changed anywhere is never accepted, and never an error of the courier', async () => {
  const { der } = await ours.device('D-1')
  const change = fc.record({ at: fc.nat(der.length - 1), bits: fc.integer({ min: 1, max: 255 }) })
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), fc.nat(der.length), (changes, length) => {
      const changed = der.slice()
      for (const { at, bits } of changes) changed[at]! ^= bits
      fc.pre(Buffer.compare(changed, der) !== 0)
      expect(trust.identify([changed], nowMs)).toBeTypeOf('string')
      expect(trust.identify([changed.subarray(0, length)], nowMs)).toBeTypeOf('string')
    }),
    { numRuns: 300 },
  )
})

test('a revoked certificate is not accepted from then on', async () => {
  const { der, serial } = await ours.device('D-3')
  expect(trust.identify([der], nowMs)).toMatchObject({ deviceId: 'D-3' })
  authority.setCertificate(serial, 'revoked')
  expect(trust.identify([der], nowMs)).toBe('certificate revoked')
})

test('nothing at all is no certificate', () => {
  expect(trust.identify([], nowMs)).toBe('certificate unreadable')
})
