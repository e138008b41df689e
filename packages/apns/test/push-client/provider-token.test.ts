import { expect, test } from 'vitest'
import { makeAuthKey } from '../support/certificate.ts'
import { countByReason, sendAll } from '../support/results.ts'
import { clientOf, newKeyId, push, ScriptedService } from '../support/service.ts'

test('an expired provider token is renewed once, on a new connection, and every push is sent again', async () => {
  const tokens = new Set<string>()
  const service = new ScriptedService({
    onRequest(request) {
      tokens.add(request.headers.authorization ?? '')
      if (request.link.number === 0) request.reject(403, { reason: 'ExpiredProviderToken' })
      else request.accept()
    },
  })
  const client = clientOf(service)
  const results = await service.world.until(sendAll(client, 50))
  expect(countByReason(results)).toEqual({ ok: 50 })
  expect(tokens.size).toBe(2)
  expect(service.world.links.length).toBe(2)
})

test('a token that stays expired is reported, not renewed again', async () => {
  const tokens = new Set<string>()
  const service = new ScriptedService({
    onRequest(request) {
      tokens.add(request.headers.authorization ?? '')
      request.reject(403, { reason: 'ExpiredProviderToken' })
    },
  })
  const client = clientOf(service)
  const results = await service.world.until(sendAll(client, 5))
  expect(countByReason(results)).toEqual({ ExpiredProviderToken: 5 })
  expect(await service.world.until(client.send(push()))).toMatchObject({ reason: 'ExpiredProviderToken' })
  expect(tokens.size).toBe(2)
})

test('clients with one key: what one renews serves the other, on a new connection too', async () => {
  let isWedged = false
  const service = new ScriptedService({
    onRequest(request) {
      if (isWedged && request.link.number < 2) request.reject(403, { reason: 'ExpiredProviderToken' })
      else request.accept()
    },
  })
  const auth = { type: 'token' as const, keyId: newKeyId(), teamId: 'TEAM000001', privateKey: makeAuthKey() }
  const [one, other] = [clientOf(service, { auth }), clientOf(service, { auth })]
  expect(await service.world.until(one.send(push()))).toMatchObject({ ok: true })
  expect(await service.world.until(other.send(push()))).toMatchObject({ ok: true })
  isWedged = true
  expect(await service.world.until(one.send(push()))).toMatchObject({ ok: true })
  expect(await service.world.until(other.send(push()))).toMatchObject({ ok: true })
  expect(service.world.links.length).toBe(4)
})
