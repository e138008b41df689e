import fc from 'fast-check'
import { expect, test } from 'vitest'
import { redirectedAddress } from '../../src/drivers/courier-address.ts'

const from = { host: 'a.example', port: 5223 }

test.each([
  ['b.example', { host: 'b.example', port: 5223 }],
  ['b.example:443', { host: 'b.example', port: 443 }],
  ['10.0.0.1:1', { host: '10.0.0.1', port: 1 }],
  ['[::1]', { host: '::1', port: 5223 }],
  ['[2001:db8::1]:65535', { host: '2001:db8::1', port: 65_535 }],
  ['', undefined],
  [':443', undefined],
  ['b.example:', undefined],
  ['b.example:0', undefined],
  ['b.example:65536', undefined],
  ['::1', undefined],
  ['b example', undefined],
  ['b.example\0', undefined],
  ['https://b.example', undefined],
  ['x'.repeat(254), undefined],
])('%j', (text, address) => {
  expect(redirectedAddress(text, from)).toEqual(address)
})

test('whatever a courier says, an address can be dialled', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const address = redirectedAddress(text, from)
      if (!address) return
      expect(address.host).not.toBe('')
      expect(address.port).toBeGreaterThan(0)
      expect(address.port).toBeLessThan(65_536)
    }),
  )
})
