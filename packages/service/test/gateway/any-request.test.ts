import type { HeaderList } from '@carillon/http2'
import { header, reasonTable } from '@carillon/wire'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { GatewayConnection } from '../../src/gateway/gateway-connection.ts'
import { bundleId } from '../memory-authority.ts'
import { GatewayWorld, payload, token } from './gateway-world.ts'

let world: GatewayWorld
beforeAll(async () => {
  world = await GatewayWorld.start()
})
afterAll(() => world.stop())

const latin1 = fc.string({
  unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)),
})

/** A value that is right, nearly right, or anything. */
const anyOf = (...likely: string[]) => fc.oneof(fc.constantFrom(...likely), latin1)

test('whatever a request says, it gets one answer, and only a good one is accepted', () => {
  const good = world.bearer()
  const expired = world.bearer(3700)
  const field = fc.oneof(
    fc.tuple(fc.constant(header.method), anyOf('POST', 'GET', 'post')),
    fc.tuple(
      fc.constant(header.path),
      anyOf(`/3/device/${token}`, `/3/device/${token.toUpperCase()}`, '/3/device/', '/3/device/zz', '/'),
    ),
    fc.tuple(fc.constant(header.authorization), anyOf(good, expired, 'bearer ', 'bearer a.b.c')),
    fc.tuple(fc.constant(header.apnsTopic), anyOf(bundleId, `${bundleId}.voip`, 'com.example.unknown')),
    fc.tuple(fc.constant(header.apnsPushType), anyOf('alert', 'background', 'voip', 'mdm', 'constructor')),
    fc.tuple(fc.constant(header.apnsPriority), anyOf('10', '5', '1', '05')),
    fc.tuple(fc.constant(header.apnsExpiration), anyOf('0', '1999999999', '4294967296', '1e3')),
    fc.tuple(fc.constant(header.apnsCollapseId), anyOf('a', 'x'.repeat(64), 'x'.repeat(65))),
    fc.tuple(fc.constant(header.apnsId), anyOf('eabeae54-14a8-11e5-b60b-1697f925ec7b')),
    fc.tuple(latin1, latin1),
  )
  const body = fc.oneof(
    fc
      .constantFrom(payload, '', '{}', '[]', '{"aps":', `{"x":"${'x'.repeat(5000)}"}`)
      .map((text) => Buffer.from(text)),
    fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)),
  )
  const statuses = new Map<string, string>(reasonTable.map(({ text, status }) => [text, String(status)]))
  let accepted = 0
  fc.assert(
    fc.property(fc.array(field, { maxLength: 12 }), fc.boolean(), body, (more, isGood, payload) => {
      const connection = new GatewayConnection(world.shared(), undefined)
      const answers: { headers: HeaderList; body: Uint8Array | undefined }[] = []
      connection.http2.respond = (_streamId, headers, body) => {
        answers.push({ headers, body })
        return true
      }
      const before = world.delivery.accepted.length
      const start = isGood ? Object.entries({ ...world.headers(), authorization: good }) : []
      connection.onRequest(1, [...start, ...more].flat(), payload)
      expect(answers).toHaveLength(1)
      const [{ headers, body: said }] = answers as [(typeof answers)[number]]
      const [, status] = headers
      expect(headers[2]).toBe(header.apnsId)
      expect(headers[3]).toMatch(/^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/)
      expect(world.delivery.accepted.length - before).toBe(status === '200' ? 1 : 0)
      if (status === '200') {
        accepted += 1
        expect(said).toBeUndefined()
      } else {
        const { reason } = JSON.parse(Buffer.from(said!).toString()) as { reason: string }
        expect(statuses.get(reason)).toBe(status)
      }
    }),
    { numRuns: 1500 },
  )
  expect(accepted).toBeGreaterThan(0)
})
