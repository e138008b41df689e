import { header } from '@carillon/wire'
import { retryAfterMsMax } from './limits.ts'

/**
 * The milliseconds that an answer asks to wait, or undefined where it does not say: RFC 9110 §10.2.3, seconds or an
 * HTTP date. Unverified against Apple: its documents do not name the header, other services and proxies send it.
 *
 * @param wall milliseconds since 1970
 */
export const retryAfterOf = (headers: readonly string[], wall: number): number | undefined => {
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i] === header.retryAfter) return parse(headers[i + 1]!, wall)
  }
  return undefined
}

const parse = (text: string, wall: number): number | undefined => {
  // `Date.parse` takes much for a date that is none; an HTTP date ends so. RFC 9110 §5.6.7
  const ms = text.endsWith(' GMT')
    ? Date.parse(text) - wall
    : /^\d{1,9}$/.test(text)
      ? Number(text) * 1000
      : Number.NaN
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), retryAfterMsMax)
}
