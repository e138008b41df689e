import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { Notification as Apns2Notification, ApnsClient } from '../../src/compat/apns2/index.ts'
import { Notification, Provider } from '../../src/compat/node-apn/index.ts'
import { makeAuthKey } from '../support/certificate.ts'
import { newKeyId } from '../support/service.ts'

/** Takes connections and drops them; counts. */
async function startDropping() {
  const server = createServer((socket) => {
    dropped.connections += 1
    socket.destroy()
  }).listen(0, '127.0.0.1')
  const dropped = { connections: 0, port: 0 }
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  dropped.port = (server.address() as AddressInfo).port
  return dropped
}

test.each([1, 2, 3])('node-apn: connectionRetryLimit %i connects fail, then what waits', async (limit) => {
  const service = await startDropping()
  const provider = new Provider({
    token: { key: makeAuthKey(), keyId: newKeyId(), teamId: 'TEAM000001' },
    ...{ address: '127.0.0.1', port: service.port, connectionRetryLimit: limit },
  })
  const { sent, failed } = await provider.send(new Notification({ topic: 'a.b', alert: 'Hello' }), [
    'ab',
    'cd',
  ])
  expect(sent).toEqual([])
  expect(failed.map(({ error }) => error?.name)).toEqual(['VError', 'VError'])
  expect(failed[0]?.error?.message).toContain('apn write failed: No connection to 127.0.0.1')
  expect(service.connections).toBe(limit)
  await provider.shutdown()
})

test('apns2: the third connect in a row that fails', async () => {
  const service = await startDropping()
  const client = new ApnsClient({
    ...{ team: 'TEAM000001', keyId: newKeyId(), signingKey: makeAuthKey(), defaultTopic: 'a.b' },
    ...{ host: '127.0.0.1', port: service.port },
  })
  const push = client.send(new Apns2Notification('ab'))
  await expect(push).rejects.toMatchObject({ code: 'UND_ERR_CONNECT_TIMEOUT', ambiguous: false })
  expect(service.connections).toBe(3)
  await client.close()
})
