import { expect, test } from 'vitest'
import type { SenderOptions } from '../src/index.ts'
import { bundleId, credentials, PushServiceDouble, start } from './support/world.ts'

const app = { bundleId, environments: { sandbox: { credentials, connect: 'local' } } }

test('an app with connect: local sends to the service beside the provider, wherever that listens', async () => {
  const connected: SenderOptions[] = []
  const service = new PushServiceDouble()
  const { call } = await start({
    localServices: { sandbox: { host: '127.0.0.1', port: 12197, ca: 'the root' } },
    connectPushClient: (options) => {
      connected.push(options)
      return service.connect(options)
    },
  })
  const saved = await call('POST', '/v1/apps', app)
  expect(saved.status).toBe(200)
  expect(saved.body.environments.sandbox.connect).toBe('local')
  expect(connected.map(({ connect }) => connect)).toEqual([
    { host: '127.0.0.1', port: 12197, ca: 'the root' },
  ])
})

test('without such a service, connect: local is refused with a sentence', async () => {
  const { call } = await start()
  const { status, body } = await call('POST', '/v1/apps', app)
  expect(status).toBe(400)
  expect(body.detail).toMatch(/No sandbox push service runs beside this provider/)
  expect((await call('GET', `/v1/apps/${bundleId}`)).status).toBe(404)
})
