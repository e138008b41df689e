import { bundleIdLengthMax } from '../limits.ts'

/**
 * Why `text` cannot be the bundle id of an explicit App ID, as one sentence for people; undefined when it can.
 * Apple: "CFBundleIdentifier": letters, digits, hyphen and period. A wildcard is refused because push needs an
 * explicit App ID.
 */
export function bundleIdProblem(text: string): string | undefined {
  if (text.length === 0) return 'The bundle id is empty; write one such as com.example.app.'
  if (text.length > bundleIdLengthMax) {
    return `The bundle id has ${text.length} characters; at most ${bundleIdLengthMax} are allowed.`
  }
  const shown = JSON.stringify(text)
  let segmentLength = 0
  let periods = 0
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code === 0x2a)
      return `${shown} is a wildcard; push needs an explicit bundle id such as com.example.app.`
    if (code === 0x2e) {
      if (segmentLength === 0)
        return `${shown} has an empty part; remove the period at position ${index + 1}.`
      periods += 1
      segmentLength = 0
    } else if (isBundleIdCode(code)) {
      segmentLength += 1
    } else {
      const character = JSON.stringify(String.fromCodePoint(text.codePointAt(index)!))
      return `${shown} contains ${character}; only letters, digits, hyphens and periods are allowed.`
    }
  }
  if (segmentLength === 0) return `${shown} ends with a period; remove it.`
  if (periods === 0)
    return `${shown} has one part only; write it in reverse-DNS form, such as com.example.app.`
  return undefined
}

/** True when {@link bundleIdProblem} finds nothing. */
export function isBundleId(text: string): boolean {
  return bundleIdProblem(text) === undefined
}

function isBundleIdCode(code: number): boolean {
  return (
    (code >= 0x61 && code <= 0x7a) ||
    (code >= 0x41 && code <= 0x5a) ||
    (code >= 0x30 && code <= 0x39) ||
    code === 0x2d
  )
}
