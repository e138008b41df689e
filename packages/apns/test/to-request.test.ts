import { expect, test } from 'vitest'
import { alert } from '../src/index.ts'
import { clientOf, deviceToken, ScriptedService } from './support/service.ts'

const service = new ScriptedService({ onRequest: () => {} })
const hello = alert({ bundleId: 'com.example.app', body: 'Hello' })
const apnsId = '00000000-0000-4000-8000-000000000001'

test('the request of a push, without sending it and without the secret', () => {
  const client = clientOf(service, { port: 2197 })
  const request = client.toRequest({ deviceToken: deviceToken.toUpperCase(), apnsId, ...hello })
  expect(request).toEqual({
    method: 'POST',
    url: `https://push.test:2197/3/device/${deviceToken}`,
    headers: {
      'apns-id': apnsId,
      'apns-topic': 'com.example.app',
      'apns-push-type': 'alert',
      'apns-priority': '10',
    },
    body: Buffer.from('{"aps":{"alert":{"body":"Hello"}}}'),
  })
  expect(client.stats()).toMatchObject({ sent: 0, connectionsOpened: 0 })
})

test('with the provider token on request', () => {
  const { headers } = clientOf(service).toRequest({ deviceToken, ...hello }, { authorization: true })
  expect(headers.authorization).toMatch(/^bearer [\w-]+\.[\w-]+\.[\w-]+$/)
})

test('a push that would not be sent is refused with the reason', () => {
  expect(() => clientOf(service).toRequest({ deviceToken: 'no hex', ...hello })).toThrow(
    /^push: Not sent: deviceToken is not hex/,
  )
})
