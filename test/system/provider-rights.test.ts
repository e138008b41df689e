import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { IssuedKey } from '@carillon/portal'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Provider } from '../../packages/service/test/gateway/provider.ts'
import { bundleId, type LocalApp, providerToken, startLocalApp } from './support/local-app.ts'

// What the portal says about keys, certificates and App IDs is what the push service does, on open connections too.
let app: LocalApp
const providers: Provider[] = []

beforeAll(async () => {
  app = await startLocalApp()
})
afterAll(async () => {
  await Promise.all(providers.map((provider) => provider.close()))
  await app.close()
})

function connect(certificate?: { certFile: string; keyFile: string }): Provider {
  const read = (file: string) => readFileSync(file, 'utf8')
  const provider = new Provider({
    port: app.gateway.port,
    caPem: app.caPem,
    ...(certificate && {
      certificate: { certPem: read(certificate.certFile), keyPem: read(certificate.keyFile), serial: '' },
    }),
  })
  providers.push(provider)
  return provider
}

function bearer({ keyId, teamId, privateKeyPem: pem }: IssuedKey): string {
  return `bearer ${providerToken({ keyId, teamId, pem })}`
}

/** What one push comes to: its status, or the reason. */
async function push(provider: Provider, authorization?: string): Promise<string> {
  const headers = { ':method': 'POST', ':path': `/3/device/${app.deviceToken}`, 'apns-topic': bundleId }
  const answer = await provider.send({ ...headers, authorization }, '{"aps":{"alert":"Hello"}}')
  return answer.reason ?? String(answer.status)
}

async function goawayReason(provider: Provider): Promise<string> {
  const [, , debugData] = (await once(provider.session, 'goaway')) as [number, number, Buffer]
  return (JSON.parse(debugData.toString()) as { reason: string }).reason
}

test('two related keys for topics take turns on one connection, a third may not', async () => {
  const { keys } = app.system.portal
  const first = await keys.create({ name: 'First', topics: [bundleId] })
  const second = await keys.create({ name: 'Second', topics: [bundleId], relatedKeyId: first.keyId })
  const third = await keys.create({ name: 'Third', topics: [bundleId] })
  const provider = connect()
  expect(await push(provider, bearer(first))).toBe('200')
  expect(await push(provider, bearer(second))).toBe('200')
  expect(await push(provider, bearer(third))).toBe('UnrelatedKeyIdInToken')
})

test('a key for other topics, and one for the other environment', async () => {
  const { keys } = app.system.portal
  const other = await keys.create({ name: 'Other', topics: ['com.example.other'] })
  const sandbox = await keys.create({ name: 'Sandbox', environment: 'sandbox' })
  expect(await push(connect(), bearer(other))).toBe('TopicDisallowed')
  expect(await push(connect(), bearer(sandbox))).toBe('BadEnvironmentKeyInToken')
})

test('a key that is revoked ends its connections, and opens no other', async () => {
  const { keys } = app.system.portal
  const key = await keys.create({ name: 'Brief' })
  const provider = connect()
  expect(await push(provider, bearer(key))).toBe('200')
  const told = goawayReason(provider)
  await keys.revoke(key.keyId)
  expect(await told).toBe('InvalidProviderToken')
  expect(await push(connect(), bearer(key))).toBe('InvalidProviderToken')
})

test('a certificate that is revoked ends its connections, and is refused from then on', async () => {
  const files = await app.certificate()
  const serial = files.certFile.split('/').at(-1)!.replace('.pem', '')
  const provider = connect(files)
  expect(await push(provider)).toBe('200')
  const told = goawayReason(provider)
  await app.system.portal.certificates.revoke(serial)
  expect(await told).toBe('BadCertificate')
  expect(await push(connect(files))).toBe('BadCertificate')
})

test('an App ID whose push is switched off is Forbidden to its own team, until it is on again', async () => {
  const { apps, keys } = app.system.portal
  const authorization = bearer(await keys.create({ name: 'Back end' }))
  const provider = connect()
  expect(await push(provider, authorization)).toBe('200')
  await apps.update(bundleId, { push: false })
  expect(await push(provider, authorization)).toBe('Forbidden')
  await apps.update(bundleId, { push: true })
  expect(await push(provider, authorization)).toBe('200')
})
