import { PortalError } from '../errors.ts'
import { limits } from '../limits.ts'

/** Whether the App ID stands for many bundle ids. */
export function isWildcard(bundleId: string): boolean {
  return bundleId.endsWith('*')
}

/** Refuses everything but letters, digits, hyphens and dots, and `*` as the last part. */
export function checkBundleId(bundleId: string): void {
  const fine = /^(?:[A-Za-z0-9-]+\.)*(?:[A-Za-z0-9-]+|\*)$/.test(bundleId)
  if (fine && bundleId.length <= limits.bundleIdCharactersMax) return
  const long = bundleId.length > limits.bundleIdCharactersMax
  throw new PortalError(
    'BUNDLE_ID_INVALID',
    long
      ? `A bundle id has at most ${limits.bundleIdCharactersMax} characters, this one ${bundleId.length}.`
      : `"${bundleId}" is not a bundle id.`,
    'Use letters, digits, hyphens and dots, for example com.example.app.',
  )
}

/** Refuses empty, overlong and unprintable names; gives the name without space around it. */
export function checkName(
  name: string,
  what: string,
  charactersMax: number = limits.nameCharactersMax,
): string {
  const trimmed = name.trim()
  // Names go into certificates (UTF-8) and into XML, which has no place for these characters.
  const printable = trimmed.isWellFormed() && !/[\p{Cc}\ufffe\uffff]/u.test(trimmed)
  if (trimmed !== '' && trimmed.length <= charactersMax && printable) return trimmed
  const wrong =
    trimmed === ''
      ? 'is empty'
      : printable
        ? `is longer than ${charactersMax} characters`
        : 'has characters that cannot be printed'
  throw new PortalError('NAME_INVALID', `The name of the ${what} ${wrong}.`, 'Give it another name.')
}

/** Refuses a word that is not in the list: callers in JavaScript and command lines may send any. */
export function checkWord(words: readonly string[], word: string | undefined, what: string): void {
  if (word === undefined || words.includes(word)) return
  throw requestInvalid(`There is no ${what} "${word}".`, `Use ${words.join(', ')}.`)
}

/** The canonical form of a UDID: `8-16` hex digits in upper case, or 40 in lower case. */
export function checkUdid(udid: string): string {
  if (/^[0-9a-f]{8}-[0-9a-f]{16}$/i.test(udid)) return udid.toUpperCase()
  if (/^[0-9a-f]{40}$/i.test(udid)) return udid.toLowerCase()
  throw new PortalError(
    'UDID_INVALID',
    `"${udid}" is not a UDID.`,
    'A UDID has 8 hex digits, a hyphen and 16 hex digits; on old devices 40 hex digits.',
  )
}

/** Refuses one more where the limit is reached. */
export function checkRoom(
  count: number,
  max: number,
  code: 'APP_LIMIT' | 'KEY_LIMIT' | 'CERTIFICATE_LIMIT' | 'DEVICE_LIMIT' | 'PROFILE_LIMIT',
  what: string,
): void {
  if (count < max) return
  throw new PortalError(code, `This portal holds ${max} ${what}, which is its limit.`, 'Use a second portal.')
}

export function requestInvalid(message: string, fix: string): PortalError {
  return new PortalError('REQUEST_INVALID', message, fix)
}
