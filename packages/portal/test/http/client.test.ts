import { request } from 'node:https'
import { describe, expect, test } from 'vitest'
import {
  activateDevice,
  openPortalClient,
  type Portal,
  type PortalOperations,
  type PortalServer,
  startPortalServer,
} from '../../src/index.ts'
import { makeKey } from '../../src/pki/key.ts'
import { makeRequest } from '../support/request.ts'
import { afterTest, rejection, temporaryPortal } from '../support/temporary-portal.ts'

const adminKey = 'admin-key-of-the-test'
const enrolmentKey = 'enrolment-key-of-the-test'

interface Running {
  readonly portal: Portal
  readonly server: PortalServer
  readonly client: PortalOperations
}

async function running(): Promise<Running> {
  const portal = await temporaryPortal()
  const server = await startPortalServer({ portal, adminKey, enrolmentKey })
  afterTest(() => server.close())
  const client = await openPortalClient({ url: server.url, caPem: portal.ca.rootPem, adminKey })
  afterTest(() => client.close())
  return { portal, server, client }
}

/** A request without the client, for what the client would never send. */
function ask(
  { server, portal }: Running,
  path: string,
  options: { method?: string; key?: string; body?: string } = {},
): Promise<{ status: number; body: string; type: string | undefined }> {
  return new Promise((resolve, reject) => {
    const headers = options.key === undefined ? {} : { authorization: `Bearer ${options.key}` }
    const { method = 'GET' } = options
    const outgoing = request(new URL(path, server.url), {
      method,
      headers,
      ca: portal.ca.rootPem,
      agent: false,
    })
    outgoing.on('error', reject)
    outgoing.on('response', (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk) => chunks.push(chunk))
      response.on('end', () => {
        const { statusCode: status = 0, headers: answered } = response
        resolve({ status, body: Buffer.concat(chunks).toString(), type: answered['content-type'] })
      })
    })
    outgoing.end(options.body)
  })
}

describe('the client does over HTTPS what the portal does on its directory', () => {
  test('team and CA', async () => {
    const { portal, client } = await running()
    expect(client.team).toEqual(portal.team)
    const { rootPem, chainPem, deviceCaPem, fingerprint } = portal.ca
    expect(client.ca).toMatchObject({ rootPem, chainPem, deviceCaPem, fingerprint })
    const server = await client.ca.issueServerCertificate({ names: ['push.example.com'], validityDays: 30 })
    expect(server.certPem.match(/BEGIN CERTIFICATE/g)).toHaveLength(2)
    expect((await client.ca.revocationList('device'))[0]).toBe(0x30)
  })

  test('App IDs, certificates and keys', async () => {
    const { portal, client } = await running()
    const app = await client.apps.create({ bundleId: 'com.example.*', name: 'Wild' })
    expect(await client.apps.get('com.example.*')).toEqual(app)
    await client.apps.create({ bundleId: 'a.b', name: 'A', inboxMax: 3 })
    expect(await client.apps.update('a.b', { inboxMax: 4 })).toEqual(portal.lookup.app('a.b'))
    expect(await client.apps.list()).toEqual(await portal.apps.list())

    const created = await client.certificates.create({ bundleId: 'a.b', kind: 'universal' })
    const { p12, cerDer, keyPem, chainPem, p12Password, ...described } = created
    expect(p12).toBeInstanceOf(Uint8Array)
    expect(cerDer).toBeInstanceOf(Uint8Array)
    expect({ keyPem, chainPem, p12Password }).toEqual({
      keyPem: expect.stringContaining('PRIVATE KEY'),
      chainPem: portal.ca.chainPem,
      p12Password: expect.stringMatching(/^\S{22}$/),
    })
    expect(await client.certificates.get(created.serial)).toEqual(described)
    const csrPem = makeRequest(await makeKey('p256'))
    const requested = await client.certificates.create({ bundleId: 'a.b', kind: 'sandbox', csrPem })
    expect(requested).not.toHaveProperty('p12')
    await client.certificates.revoke(created.serial)
    expect(portal.lookup.certificateStatus(created.serial)).toBe('revoked')
    expect(await client.certificates.list()).toEqual(await portal.certificates.list())

    const key = await client.keys.create({ name: 'K', environment: 'sandbox', topics: ['a.b'] })
    expect(key.privateKeyPem).toContain('PRIVATE KEY')
    expect(await client.keys.revoke(key.keyId)).toEqual(portal.lookup.key(key.keyId))
    expect(await client.keys.list()).toEqual([await client.keys.get(key.keyId)])
  })

  test('devices and profiles', async () => {
    const { portal, client } = await running()
    await client.apps.create({ bundleId: 'a.b', name: 'A' })
    const device = await client.devices.add({ name: 'D' })
    const csrPem = makeRequest(await makeKey('p256'))
    const activated = await client.devices.activate({ deviceId: device.deviceId, csrPem })
    expect(activated).toMatchObject({ udid: device.udid })
    const profile = await client.profiles.create({
      bundleId: 'a.b',
      kind: 'development',
      deviceIds: [device.deviceId],
    })
    const { der, ...described } = profile
    expect(der).toBeInstanceOf(Uint8Array)
    expect(await client.profiles.get(profile.uuid)).toEqual(profile)
    expect(await client.profiles.list()).toEqual([described])
    expect(await client.devices.disable(device.udid)).toMatchObject({ status: 'disabled' })
    expect(await client.devices.get(device.deviceId)).toEqual(await portal.devices.get(device.deviceId))
    expect(await client.devices.list()).toEqual(await portal.devices.list())
  })

  test('errors keep code, sentence and fix', async () => {
    const { portal, client } = await running()
    for (const operations of [portal, client] as PortalOperations[]) {
      expect(await rejection(operations.apps.get('a.b'))).toMatchObject({
        name: 'PortalError',
        code: 'APP_UNKNOWN',
        message: 'There is no App ID "a.b" in this portal.',
        fix: expect.stringContaining('carillon portal app create'),
      })
    }
  })
})

describe('who may do what', () => {
  test('the certificates of the CA and the revocation lists are for everybody', async () => {
    const all = await running()
    const { portal } = all
    expect(JSON.parse((await ask(all, '/v1/ca')).body)).toMatchObject({
      team: portal.team,
      rootPem: portal.ca.rootPem,
    })
    expect(await ask(all, '/crl/issuing.crl')).toMatchObject({ status: 200, type: 'application/pkix-crl' })
  })

  test.each([undefined, '', 'wrong', `${adminKey}x`, enrolmentKey])(
    'the key %j opens nothing else',
    async (key) => {
      const all = await running()
      const options = key === undefined ? {} : { key }
      for (const path of [
        'bundleIds',
        'certificates',
        'apnsKeys',
        'devices',
        'profiles',
        'devices/x',
        'nothing',
      ]) {
        const answer = await ask(all, `/v1/${path}`, options)
        expect([answer.status, JSON.parse(answer.body).error.code]).toEqual([401, 'UNAUTHORIZED'])
      }
      const post = await ask(all, '/v1/apnsKeys', { ...options, method: 'POST', body: '{"name":"K"}' })
      expect(post.status).toBe(401)
      expect(await all.portal.keys.list()).toEqual([])
    },
  )

  test('the enrolment key activates a new device, and cannot take the place of a known one', async () => {
    const { portal, server } = await running()
    const options = { url: server.url, caPem: portal.ca.rootPem }
    const csrPem = makeRequest(await makeKey('p256'))
    const { deviceId, udid } = await portal.devices.add({ name: 'D' })
    const activated = await activateDevice({ ...options, enrolmentKey }, { new: true, csrPem })
    expect(activated.certPem).toContain('BEGIN CERTIFICATE')
    for (const [target, code] of [
      [{ deviceId }, 'UNAUTHORIZED'],
      [{ udid }, 'UNAUTHORIZED'],
      [{ udid, new: true }, 'DEVICE_EXISTS'],
    ] as const) {
      const refused = activateDevice({ ...options, enrolmentKey }, { ...target, csrPem })
      expect(await rejection(refused)).toMatchObject({ code })
    }
    const stranger = activateDevice({ ...options, enrolmentKey: 'x' }, { new: true, csrPem })
    expect(await rejection(stranger)).toMatchObject({ code: 'UNAUTHORIZED' })
  })

  test('the keys come from the data directory where none are given', async () => {
    const portal = await temporaryPortal()
    const server = await startPortalServer({ portal })
    afterTest(() => server.close())
    const { readFile } = await import('node:fs/promises')
    const fileKey = (await readFile(portal.files.adminKey, 'utf8')).trim()
    const client = await openPortalClient({ url: server.url, caPem: portal.ca.rootPem, adminKey: fileKey })
    afterTest(() => client.close())
    expect(await client.apps.list()).toEqual([])
  })
})

describe('bad requests', () => {
  test.each([
    ['no JSON', '{"bundleId"', 'The body is not JSON.'],
    ['nothing', '', 'The body is not JSON.'],
    ['a list', '[]', 'The body is wrong'],
    ['a missing field', '{"bundleId":"a.b"}', '"name" is wrong'],
    ['a wrong type', '{"bundleId":1,"name":"A"}', '"bundleId" is wrong'],
    ['an unknown field', '{"bundleId":"a.b","name":"A","pushh":true}', 'pushh'],
  ])('%s', async (_, body, message) => {
    const all = await running()
    const answer = await ask(all, '/v1/bundleIds', { method: 'POST', key: adminKey, body })
    expect(answer.status).toBe(400)
    const { error } = JSON.parse(answer.body)
    expect(error).toMatchObject({ code: 'REQUEST_INVALID', fix: expect.stringMatching(/\S/) })
    expect(error.message).toContain(message)
    expect(await all.portal.apps.list()).toEqual([])
  })

  test('too long a body, an unknown path, an unknown method', async () => {
    const all = await running()
    const post = { method: 'POST', key: adminKey }
    const long = await ask(all, '/v1/bundleIds', {
      ...post,
      body: JSON.stringify({ name: 'x'.repeat(1_048_576) }),
    })
    expect(long.status).toBe(413)
    expect(JSON.parse(long.body).error.code).toBe('REQUEST_TOO_LARGE')
    for (const [path, method] of [
      ['/v1/nothing', 'GET'],
      ['/v1/ca', 'DELETE'],
    ] as const) {
      const answer = await ask(all, path, { method, key: adminKey })
      expect([answer.status, JSON.parse(answer.body).error.code]).toEqual([404, 'NOT_FOUND'])
    }
  })
})

test('a failure that is nobody’s request is told to the operator and not to the caller', async () => {
  const portal = await temporaryPortal()
  const failures: unknown[] = []
  const broken = {
    ...portal,
    apps: { ...portal.apps, list: () => Promise.reject(new TypeError('secret detail')) },
  }
  const server = await startPortalServer({
    portal: broken,
    adminKey,
    onFailure: (error) => failures.push(error),
  })
  afterTest(() => server.close())
  const client = await openPortalClient({ url: server.url, caPem: portal.ca.rootPem, adminKey })
  afterTest(() => client.close())
  expect(await rejection(client.apps.list())).toMatchObject({
    code: 'INTERNAL',
    message: 'The portal failed at this request.',
  })
  expect(failures).toEqual([new TypeError('secret detail')])
})

test('a broken database is told to the operator, and its path not to somebody without a key', async () => {
  const portal = await temporaryPortal()
  const failures: unknown[] = []
  const server = await startPortalServer({ portal, adminKey, onFailure: (error) => failures.push(error) })
  afterTest(() => server.close())
  await portal.close()
  const answer = await ask({ portal, server, client: portal }, '/crl/device.crl')
  expect(answer.status).toBe(500)
  expect(JSON.parse(answer.body).error).toEqual({
    code: 'DATABASE',
    message: 'The portal failed at this request.',
    fix: 'See the log of the portal.',
  })
  expect(failures).toMatchObject([{ code: 'DATABASE', message: expect.stringContaining('portal.db') }])
})

test('a body of somebody without a key is refused for the key, however long it is', async () => {
  const all = await running()
  for (const path of ['/v1/devices', '/v1/devices/activation']) {
    const answer = await ask(all, path, { method: 'POST', key: 'wrong', body: 'x'.repeat(1_048_577) })
    expect(answer.status).toBe(401)
  }
  const long = { method: 'POST', key: enrolmentKey, body: 'x'.repeat(1_048_577) }
  expect((await ask(all, '/v1/devices/activation', long)).status).toBe(413)
})

describe('a portal that cannot be reached is named in one sentence', () => {
  test('nothing listens, another CA, no address', async () => {
    const { portal, server } = await running()
    const other = await temporaryPortal()
    const trusting = (caPem: string, url: string) => rejection(openPortalClient({ url, caPem, adminKey }))
    expect(await trusting(other.ca.rootPem, server.url)).toMatchObject({
      code: 'UNREACHABLE',
      message: expect.stringContaining('its certificate was not issued by this'),
    })
    expect(await trusting(portal.ca.rootPem, 'localhost:1')).toMatchObject({ code: 'REQUEST_INVALID' })
    await server.close()
    expect(await trusting(portal.ca.rootPem, server.url)).toMatchObject({
      code: 'UNREACHABLE',
      message: `The portal at ${server.url} cannot be used: nothing listens there.`,
    })
  })

  test('a port that is taken', async () => {
    const { portal, server } = await running()
    const port = Number(new URL(server.url).port)
    expect(await rejection(startPortalServer({ portal, port }))).toMatchObject({
      code: 'LISTEN_FAILED',
      message: `The portal cannot listen on 127.0.0.1:${port}: another program uses this port.`,
    })
  })
})
