import { describe, expect, test } from 'vitest'
import { type Rejection, randomFraction, retryDelayMs } from '../../src/dispatch/retry.ts'

const minuteMs = 60_000
const rejection = (status: number, reason: string) => ({ ok: false, status, reason }) as Rejection

describe('full jitter: from the least wait up to a span that doubles', () => {
  test.each([
    ['transport', rejection(0, 'ConnectFailed'), false, 0, 500, 5 * minuteMs],
    ['Shutdown', rejection(503, 'Shutdown'), false, 0, 200, minuteMs],
    ['ExpiredProviderToken', rejection(403, 'ExpiredProviderToken'), false, 0, 1000, minuteMs],
    ['TooManyRequests', rejection(429, 'TooManyRequests'), false, 1000, 10_000, 15 * minuteMs],
    ['our service at fault', rejection(500, 'InternalServerError'), false, 0, 1000, 15 * minuteMs],
    [
      "Apple's at fault",
      rejection(500, 'InternalServerError'),
      true,
      15 * minuteMs,
      15 * minuteMs,
      60 * minuteMs,
    ],
    ['an unknown reason of 5xx', rejection(502, 'HttpStatus502'), false, 0, 1000, 15 * minuteMs],
  ])('%s', (_name, what, isApple, least, first, most) => {
    const almostOne = 1 - 2 ** -32
    expect(retryDelayMs(what, 1, 0, isApple)).toBe(least)
    expect(retryDelayMs(what, 1, almostOne, isApple)).toBe(least + first - 1)
    expect(retryDelayMs(what, 2, 0.5, isApple)).toBe(least + Math.min(first * 2, most) / 2)
    expect(retryDelayMs(what, 1000, almostOne, isApple)).toBe(least + most - 1)
    expect(retryDelayMs(what, 1000, 0, isApple)).toBe(least)
  })
})

test.each([
  [[0, 0, 0, 0], 0],
  [[0x80, 0, 0, 0], 0.5],
  [[0xff, 0xff, 0xff, 0xff], 1 - 2 ** -32],
])('the fraction of %j is %d', (bytes, fraction) => {
  expect(randomFraction(() => Uint8Array.from(bytes))).toBe(fraction)
})
