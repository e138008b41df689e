import { X509Certificate } from 'node:crypto'
import { readDeviceCertificate } from '@carillon/wire'
import { describe, expect, test } from 'vitest'
import type { PortalChange } from '../../src/index.ts'
import { makeKey, publicKeyDer } from '../../src/pki/key.ts'
import { hasOpenssl, openssl, opensslRequest } from '../support/openssl.ts'
import { makeRequest } from '../support/request.ts'
import { rejection, temporaryDirectory, temporaryPortal } from '../support/temporary-portal.ts'

const udid = '00008110-001A2B3C4D5E6F70'

describe('devices', () => {
  test('are added with an id of the portal, and with a UDID of the modern form unless one is given', async () => {
    const dataDir = await temporaryDirectory()
    const portal = await temporaryPortal({ dataDir })
    const made = await portal.devices.add({ name: 'Kiosk' })
    expect(made.deviceId).toMatch(/^[A-Z0-9]{10}$/)
    expect(made.udid).toMatch(/^[0-9A-F]{8}-[0-9A-F]{16}$/)
    const given = await portal.devices.add({ name: 'Phone', udid: udid.toLowerCase() })
    expect(given).toMatchObject({ udid, registered: true, status: 'enabled' })
    const old = await portal.devices.add({ name: 'Old', udid: 'ABCDEF0123'.repeat(4) })
    expect(old.udid).toBe('abcdef0123'.repeat(4))
    await portal.close()
    const again = await temporaryPortal({ dataDir })
    expect(await again.devices.get(given.deviceId)).toEqual(given)
    expect(await again.devices.get(udid.toLowerCase())).toEqual(given)
    expect(await again.devices.list()).toHaveLength(3)
  })

  test('what is wrong is refused', async () => {
    const portal = await temporaryPortal()
    await portal.devices.add({ name: 'Phone', udid })
    for (const bad of ['', 'x', '00008110001A2B3C4D5E6F70', `${udid} `]) {
      expect(await rejection(portal.devices.add({ name: 'D', udid: bad }))).toMatchObject({
        code: 'UDID_INVALID',
      })
    }
    const twice = portal.devices.add({ name: 'D', udid })
    expect(await rejection(twice)).toMatchObject({ code: 'DEVICE_EXISTS' })
    expect(await rejection(portal.devices.get('NOSUCH'))).toMatchObject({
      code: 'DEVICE_UNKNOWN',
      message: 'This portal knows no device "NOSUCH".',
    })
  })
})

describe('activation', () => {
  test('gives a device of the team its certificate, again and again', async () => {
    const portal = await temporaryPortal()
    const { deviceId } = await portal.devices.add({ name: 'Phone', udid })
    const key = await makeKey('p256')
    const byId = await portal.devices.activate({ deviceId, csrPem: makeRequest(key) })
    const byUdid = await portal.devices.activate({ udid: udid.toLowerCase(), csrPem: makeRequest(key) })
    for (const { certPem, serial } of [byId, byUdid]) {
      const facts = readDeviceCertificate(new X509Certificate(certPem).raw)
      expect(facts).toMatchObject({ udid, deviceId, serial })
      expect(new Uint8Array(facts.publicKey)).toEqual(publicKeyDer(key))
    }
    expect(byId.serial).not.toBe(byUdid.serial)
    expect(await portal.devices.get(deviceId)).toHaveProperty('activatedAt')
  })

  test('takes in a device from a shop when asked for a new one, and the team may add it later', async () => {
    const portal = await temporaryPortal()
    const csrPem = makeRequest(await makeKey('p256'))
    const shop = await portal.devices.activate({ new: true, csrPem, udid })
    expect(await portal.devices.get(udid)).toMatchObject({ registered: false, deviceId: shop.deviceId })
    const added = await portal.devices.add({ name: 'Mine now', udid })
    expect(added).toMatchObject({ registered: true, deviceId: shop.deviceId, name: 'Mine now' })
    expect(await portal.devices.get(udid)).toEqual(added)
    const nameless = await portal.devices.activate({ new: true, csrPem })
    expect(nameless.udid).not.toBe(udid)
  })

  test('is refused to unknown, disabled and contradictory requests, and leaves nothing behind', async () => {
    const dataDir = await temporaryDirectory()
    const portal = await temporaryPortal({ dataDir })
    const csrPem = makeRequest(await makeKey('p256'))
    const { deviceId } = await portal.devices.add({ name: 'Phone', udid })
    const cases = [
      [{ csrPem }, 'REQUEST_INVALID'],
      [{ csrPem, deviceId, udid }, 'REQUEST_INVALID'],
      [{ csrPem, deviceId, new: true }, 'REQUEST_INVALID'],
      [{ csrPem, deviceId: 'NOSUCHDEV0' }, 'DEVICE_UNKNOWN'],
      [{ csrPem, udid: '00008110-0000000000000000' }, 'DEVICE_UNKNOWN'],
      [{ csrPem, udid, new: true }, 'DEVICE_EXISTS'],
      [{ csrPem: 'x', new: true }, 'CSR_INVALID'],
    ] as const
    for (const [request, code] of cases) {
      expect(await rejection(portal.devices.activate(request))).toMatchObject({ code })
    }
    expect(await portal.devices.list()).toHaveLength(1)

    const { serial } = await portal.devices.activate({ csrPem, deviceId })
    expect(portal.lookup.isDeviceDisabled(deviceId)).toBe(false)
    expect(portal.lookup.certificateStatus(serial)).toBe('unknown')
    const heard: PortalChange[] = []
    portal.onChange((change) => heard.push(change))
    await portal.devices.disable(deviceId)
    await portal.devices.disable(udid)
    expect(portal.lookup.isDeviceDisabled(deviceId)).toBe(true)
    expect(portal.lookup.isDeviceDisabled(udid)).toBe(true)
    expect(portal.lookup.certificateStatus(serial)).toBe('revoked')
    expect(heard).toEqual([
      { type: 'device', deviceId, udid, status: 'disabled' },
      { type: 'certificate', serial, status: 'revoked' },
    ])
    expect(await rejection(portal.devices.activate({ csrPem, udid }))).toMatchObject({
      code: 'DEVICE_DISABLED',
    })
  })

  test.skipIf(!hasOpenssl)('certificates pass the strict check, and not below the issuing CA', async () => {
    const portal = await temporaryPortal()
    const csrPem = opensslRequest(['rsa:2048'])
    const { certPem, chainPem } = await portal.devices.activate({ new: true, csrPem })
    const files = { 'd.pem': certPem, 'root.pem': portal.ca.rootPem, 'chain.pem': chainPem }
    const verify = ['verify', '-x509_strict', '-purpose', 'sslclient', '-CAfile', 'root.pem', '-untrusted']
    expect(openssl(files, ...verify, 'chain.pem', 'd.pem').text).toContain('d.pem: OK')
    const foreign = { ...files, 'chain.pem': portal.ca.chainPem }
    expect(openssl(foreign, ...verify, 'chain.pem', 'd.pem').status).not.toBe(0)
  })

  test.skipIf(!hasOpenssl)('certificates of disabled devices are on the list of the device CA', async () => {
    const portal = await temporaryPortal()
    const csrPem = makeRequest(await makeKey('p256'))
    const { serial, deviceId } = await portal.devices.activate({ new: true, csrPem })
    await portal.devices.disable(deviceId)
    const crl = await portal.ca.revocationList('device')
    const files = { 'l.crl': crl, 'ca.pem': portal.ca.deviceCaPem }
    const run = openssl(
      files,
      'crl',
      '-inform',
      'DER',
      '-in',
      'l.crl',
      '-noout',
      '-text',
      '-CAfile',
      'ca.pem',
    )
    expect(run.text).toContain(`Serial Number: ${serial.toUpperCase()}`)
    expect(run.stderr).toContain('verify OK')
  })
})
