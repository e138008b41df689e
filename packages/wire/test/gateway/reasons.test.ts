import { describe, expect, it, test } from 'vitest'
import {
  errorBody,
  isRetryable,
  knownReasonOf,
  readErrorBody,
  reasonOf,
  reasons,
  reasonTable,
  tokenIsDead,
} from '../../src/index.ts'

/** The documented tables, status and text, typed in by hand: the rows must say the same. */
const documented = {
  device: `
    400 BadCollapseId BadDeviceToken BadExpirationDate BadMessageId BadPriority BadTopic DeviceTokenNotForTopic
    400 DuplicateHeaders IdleTimeout InvalidPushType MissingDeviceToken MissingTopic PayloadEmpty TopicDisallowed
    403 BadCertificate BadCertificateEnvironment ExpiredProviderToken Forbidden InvalidProviderToken
    403 MissingProviderToken UnrelatedKeyIdInToken BadEnvironmentKeyIdInToken
    404 BadPath
    405 MethodNotAllowed
    410 ExpiredToken Unregistered
    413 PayloadTooLarge
    429 TooManyProviderTokenUpdates TooManyRequests
    500 InternalServerError
    503 ServiceUnavailable Shutdown`,
  channels: `
    400 FeatureNotEnabled MissingChannelId BadChannelId ChannelNotRegistered BadRequestParams BadRequestPayload
    400 PayloadEmpty BadMessageId MissingPushType InvalidPushType CannotCreateChannelConfig BadExpirationDate
    400 TopicDisallowed BadPriority
    403 BadCertificate BadCertificateEnvironment TopicMismatch MissingProviderToken ExpiredProviderToken
    403 InvalidProviderToken
    404 BadPath
    405 MethodNotAllowed
    413 PayloadTooLarge
    429 TooManyRequests TooManyProviderTokenUpdates
    500 InternalServerError
    503 ServiceUnavailable Shutdown`,
}

const rows = Object.entries(documented).flatMap(([api, table]) =>
  table
    .trim()
    .split('\n')
    .flatMap((line) => {
      const [status, ...texts] = line.trim().split(' ')
      return texts.map((text) => [api as 'device' | 'channels', Number(status), text] as const)
    }),
)

describe('the reason table', () => {
  test.each(rows)('%s: %i %s', (api, status, text) => {
    const reason = knownReasonOf(text)
    expect(reason).toMatchObject({ status, known: true })
    expect([api, 'both']).toContain(reason!.api)
    expect(reason!.documentedText).toBe(text)
  })

  it('holds nothing that is not documented for its API', () => {
    for (const reason of reasonTable) {
      for (const api of ['device', 'channels'] as const) {
        const isListed = rows.some(([rowApi, , text]) => rowApi === api && text === reason.documentedText)
        // DuplicateHeaders is documented for device pushes; channel requests get it by choice.
        const isServed = reason.api === 'both' || reason.api === api
        if (reason !== reasons.DuplicateHeaders)
          expect([reason.text, api, isServed]).toEqual([reason.text, api, isListed])
      }
    }
  })

  test.each([
    ['BadEnvironmentKeyIdInToken', 'BadEnvironmentKeyInToken'],
    ['FeatureNotEnabled', 'BroadcastFeatureNotEnabled'],
    ['Service Unavailable', 'ServiceUnavailable'],
  ])('takes %s for %s', (spelling, text) => {
    expect(knownReasonOf(spelling)?.text).toBe(text)
    expect(reasonOf(spelling, 400)).toBe(knownReasonOf(text))
  })

  it('never retries the six terminal reasons', () => {
    const terminal = reasonTable.filter((reason) => reason.retry === 'never').map((reason) => reason.text)
    expect(terminal.sort()).toEqual(
      [
        'BadDeviceToken',
        'DeviceTokenNotForTopic',
        'ExpiredToken',
        'Forbidden',
        'PayloadTooLarge',
        'Unregistered',
      ].sort(),
    )
  })

  it('does not count 410 and 5xx as errors of the client, and every other 4xx', () => {
    for (const reason of reasonTable) {
      expect(reason.countsAsError).toBe(reason.status < 500 && reason.status !== 410)
      expect(tokenIsDead(reason)).toBe(reason.status === 410)
      if (reason.status >= 500) expect(isRetryable(reason)).toBe(true)
    }
  })

  it('explains every reason in whole sentences', () => {
    for (const { meaning, fix } of reasonTable) {
      expect(meaning).toMatch(/^[A-Z].*\.$/)
      expect(fix).toMatch(/^[A-Z].*\.$/)
    }
  })

  test.each([
    [400, 'afterFix', false, false],
    [403, 'afterFix', false, false],
    [410, 'never', false, true],
    [429, 'withDelay', true, false],
    [500, 'backoff', true, false],
    [503, 'backoff', true, false],
  ])('takes an unknown reason with status %i for %s', (status, retry, retryable, dead) => {
    const reason = reasonOf('SomethingNew', status)
    expect(reason).toMatchObject({ text: 'SomethingNew', status, retry, known: false })
    expect(isRetryable(reason)).toBe(retryable)
    expect(tokenIsDead(reason)).toBe(dead)
  })
})

describe('error bodies', () => {
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

  it('come back for every reason in both spellings', () => {
    for (const reason of reasonTable) {
      expect(readErrorBody(errorBody(reason))).toEqual({ reason: reason.text })
      expect(readErrorBody(errorBody(reason, undefined, 'documented'))).toEqual({
        reason: reason.documentedText,
      })
      expect(readErrorBody(errorBody(reason, 1_700_000_000_123))).toEqual({
        reason: reason.text,
        timestampMs: 1_700_000_000_123,
      })
    }
  })

  it('have golden bytes', () => {
    expect(text(errorBody(reasons.BadDeviceToken))).toBe('{"reason":"BadDeviceToken"}')
    expect(text(errorBody(reasons.Unregistered, 1_700_000_000_123.7))).toBe(
      '{"reason":"Unregistered","timestamp":1700000000123}',
    )
    expect(text(errorBody(reasons.BroadcastFeatureNotEnabled, undefined, 'documented'))).toBe(
      '{"reason":"FeatureNotEnabled"}',
    )
  })

  it('are made once', () => {
    expect(errorBody(reasons.BadTopic)).toBe(errorBody(reasons.BadTopic))
  })

  it('can be made for a reason that is not in the table', () => {
    expect(text(errorBody(reasonOf('New', 400)))).toBe('{"reason":"New"}')
  })

  test.each(['', '<html>', '[]', 'null', '"x"', '{}', '{"reason":1}'])('reads nothing from %j', (body) => {
    expect(readErrorBody(new TextEncoder().encode(body))).toBeUndefined()
  })

  it('reads nothing from bytes that are not UTF-8', () => {
    expect(readErrorBody(Uint8Array.of(0x7b, 0xff))).toBeUndefined()
  })
})
