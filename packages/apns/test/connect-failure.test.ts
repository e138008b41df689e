import { expect, test } from 'vitest'
import { connectFailureOf } from '../src/connect-failure.ts'

test.each([
  ['DEPTH_ZERO_SELF_SIGNED_CERT', true, 'unknown authority'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', true, 'unknown authority'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', true, 'another name'],
  ['CERT_HAS_EXPIRED', true, 'has expired'],
  ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', true, 'refuses the client certificate'],
  ['ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE', true, 'refuses the client certificate'],
  ['ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED', true, 'refuses the client certificate'],
  ['ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED', true, 'refuses the client certificate'],
  ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', true, 'refuses the client certificate'],
  ['ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR', false, 'something'],
  ['ECONNREFUSED', false, 'something'],
  ['ENOTFOUND', false, 'something'],
])('%s: definitive %s, says "%s"', (code, isDefinitive, words) => {
  const cause = Object.assign(new Error('something'), { code })
  const failure = connectFailureOf(
    { kind: 'transportError', code: 0, message: 'm', cause },
    'push.test',
    2197,
  )
  expect(failure.isDefinitive).toBe(isDefinitive)
  expect(failure.message).toContain(words)
  expect(failure.message).toContain('push.test:2197')
})

test('without a cause the reason of the engine is told', () => {
  const failure = connectFailureOf({ kind: 'timeout', code: 0, message: 'no SETTINGS' }, 'push.test', 443)
  expect(failure).toEqual({ message: 'No connection to push.test:443: no SETTINGS', isDefinitive: false })
})
