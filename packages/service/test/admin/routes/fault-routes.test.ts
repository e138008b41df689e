import { beforeEach, describe, expect, test } from 'vitest'
import { createAdminApi } from '../../../src/admin/api.ts'
import { faultRoutes } from '../../../src/admin/routes/fault-routes.ts'
import { Faults } from '../../../src/faults/faults.ts'

const key = 'of the test'
let faults: Faults
let api: ReturnType<typeof createAdminApi>

beforeEach(() => {
  faults = new Faults({ now: Date.now })
  const onFailure = (error: unknown) => {
    throw error
  }
  api = createAdminApi({ key, routes: [faultRoutes(faults)], onFailure })
})

async function call(method: string, path: string, body?: unknown, bearer = key) {
  const response = await api.request(path, {
    method,
    headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) }
}

const burst = { id: 'burst', match: { times: 2 }, fault: { kind: 'answer', reason: 'ServiceUnavailable' } }
const late = { id: 'late', fault: { kind: 'latency', ms: 50 } }

describe('/v1/faults', () => {
  test('rules are set, added, read and removed', async () => {
    expect(await call('GET', '/v1/faults')).toEqual({ status: 200, body: { seed: 1, rules: [] } })
    const set = await call('PUT', '/v1/faults', { seed: 3, rules: [burst] })
    expect(set).toMatchObject({ status: 200, body: { seed: 3, rules: [{ ...burst, where: 'http2' }] } })
    const added = await call('POST', '/v1/faults', late)
    expect(added).toEqual({
      status: 201,
      body: { ...late, where: 'http2', match: {}, counters: { seen: 0, hits: 0 } },
    })
    expect((await call('GET', '/v1/faults')).body.rules.map(({ id }: { id: string }) => id)).toEqual([
      'burst',
      'late',
    ])
    expect((await call('GET', '/v1/faults/late')).body).toMatchObject(late)
    expect(await call('DELETE', '/v1/faults/burst')).toEqual({ status: 204, body: undefined })
    expect(faults.list().map(({ id }) => id)).toEqual(['late'])
    expect(await call('DELETE', '/v1/faults')).toEqual({ status: 204, body: undefined })
    expect(faults.plan).toBeUndefined()
  })

  test.each([
    ['no JSON', 'POST', '{', 400, 'INVALID_REQUEST', /JSON/],
    [
      'an unknown kind',
      'POST',
      { id: 'a', fault: { kind: 'fire' } },
      400,
      'INVALID_REQUEST',
      /^fault\.kind: /,
    ],
    [
      'a wrong field',
      'PUT',
      { rules: [{ ...late, match: { after: -1 } }] },
      400,
      'INVALID_REQUEST',
      /^rules\.0\.match\.after: /,
    ],
    [
      'no certificate',
      'POST',
      { id: 'a', fault: { kind: 'expiredCertificate' } },
      400,
      'INVALID_REQUEST',
      /certPem/,
    ],
    ['the same id again', 'POST', late, 409, 'CONFLICT', /"late".*another id/],
  ])('%s is told', async (_what, method, body, status, code, detail) => {
    faults.add({ id: 'late', fault: { kind: 'latency', ms: 1 } })
    const answer = await call(method, '/v1/faults', body)
    expect(answer).toMatchObject({ status, body: { code, detail: expect.stringMatching(detail) } })
  })

  test.each([
    ['of no content type', {}, JSON.stringify({ rules: [burst] }), 415],
    ['as a form, as curl -d sends it', { 'content-type': 'application/x-www-form-urlencoded' }, '{}', 415],
    ['without a body', { 'content-type': 'application/json' }, '', 400],
    ['without anything', {}, undefined, 415],
  ])('a plan %s is refused, and what was set stays', async (_what, headers, body, status) => {
    faults.add({ id: 'late', fault: { kind: 'latency', ms: 1 } })
    const answer = await api.request('/v1/faults', {
      method: 'PUT',
      headers: { authorization: `Bearer ${key}`, ...headers },
      ...(body === undefined ? {} : { body: Buffer.from(body) }),
    })
    expect(answer.status).toBe(status)
    expect(await answer.json()).toMatchObject({
      code: 'INVALID_REQUEST',
      detail: expect.stringMatching(/json/i),
    })
    expect(faults.list()).toHaveLength(1)
  })

  test('an unknown id is not found', async () => {
    for (const method of ['GET', 'DELETE']) {
      expect(await call(method, '/v1/faults/none')).toMatchObject({
        status: 404,
        body: { code: 'NOT_FOUND' },
      })
    }
  })

  test('nothing without the key', async () => {
    expect((await call('PUT', '/v1/faults', { rules: [burst] }, 'guessed')).status).toBe(401)
    expect(faults.plan).toBeUndefined()
  })

  test('the OpenAPI document describes every kind of fault', async () => {
    const text = JSON.stringify((await call('GET', '/openapi.json')).body)
    for (const kind of ['goaway', 'halfOpen', 'expiredCertificate', 'clockSkew', 'settings'])
      expect(text).toContain(`"${kind}"`)
  })
})
