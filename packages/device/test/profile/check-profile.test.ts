import { expect, test } from 'vitest'
import { checkProfile, deviceNamedBy } from '../../src/profile/check-profile.ts'
import type { ProvisioningProfile } from '../../src/profile/provisioning-profile.ts'

const nowMs = 1_800_000_000_000
const udid = '00008110-000A234F024495E0'
const profile: ProvisioningProfile = {
  uuid: 'c0ffee00-0000-4000-8000-000000000000',
  name: 'Bells',
  teamId: 'ABCDE12345',
  bundleId: 'com.example.bells',
  expiresAtMs: nowMs + 1,
  devices: [udid],
  allDevices: false,
  environment: 'sandbox',
}
const app = { bundleId: profile.bundleId, udid, nowMs }

type Case = readonly [what: string, change: Partial<ProvisioningProfile>, asked: Partial<typeof app>]

test.each<Case>([
  ['as it is', {}, {}],
  ['the UDID in lower case', {}, { udid: udid.toLowerCase() }],
  ['no device named', { devices: undefined }, { udid: 'any' }],
  ['every app', { bundleId: '*' }, { bundleId: 'anything.at.all' }],
  ['a family of apps', { bundleId: 'com.example.*' }, {}],
])('may run: %s', (_what, change, asked) => {
  expect(checkProfile({ ...profile, ...change }, { ...app, ...asked })).toBe('sandbox')
})

test.each<readonly [code: string, sentence: string, ...Case]>([
  ['PROFILE_EXPIRED', 'Bells expired on 2027-01-15', 'at the very time', { expiresAtMs: nowMs }, {}],
  ['PROFILE_EXPIRED', 'c0ffee00', 'without a name', { expiresAtMs: 0, name: '' }, {}],
  ['PROFILE_OTHER_APP', 'for com.example.bells, not for a.b', 'another app', {}, { bundleId: 'a.b' }],
  ['PROFILE_OTHER_APP', 'not for', 'in another case', {}, { bundleId: 'com.example.Bells' }],
  ['PROFILE_OTHER_APP', 'not for', 'the rest of a name', {}, { bundleId: 'com.example.bells.more' }],
  ['PROFILE_OTHER_APP', 'not for', 'another family', { bundleId: 'com.other.*' }, {}],
  ['PROFILE_OTHER_DEVICE', '(X)', 'another device', {}, { udid: 'X' }],
  ['PROFILE_OTHER_DEVICE', 'this device', 'an empty list', { devices: [] }, {}],
  ['PROFILE_WITHOUT_PUSH', 'no aps-environment', 'no push', { environment: undefined }, {}],
  // In the order in which a phone refuses.
  ['PROFILE_EXPIRED', 'expired', 'everything wrong', { expiresAtMs: 0, devices: [] }, { bundleId: 'a.b' }],
  ['PROFILE_OTHER_APP', 'not for', 'app and device wrong', { devices: [] }, { bundleId: 'a.b' }],
])('%s: %s: %s', (code, sentence, _what, change, asked) => {
  const check = () => checkProfile({ ...profile, ...change }, { ...app, ...asked })
  expect(check).toThrow(expect.objectContaining({ code, message: expect.stringContaining(sentence) }))
})

test('a device that was never activated is the only one named, or any', () => {
  expect(deviceNamedBy(profile)).toBe(udid)
  expect(deviceNamedBy({ ...profile, devices: undefined })).toBeUndefined()
  const asked = { ...app, udid: undefined }
  expect(checkProfile(profile, asked)).toBe('sandbox')
  const ambiguous = { ...profile, devices: [udid, 'X'] }
  expect(() => checkProfile(ambiguous, asked)).toThrow(expect.objectContaining({ code: 'DEVICE_AMBIGUOUS' }))
  expect(() => checkProfile({ ...ambiguous, expiresAtMs: 0 }, asked)).toThrow(
    expect.objectContaining({ code: 'PROFILE_EXPIRED' }),
  )
})
