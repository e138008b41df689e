/** Team ids and key ids have this many characters. */
export const tenCharacterIdLength = 10

/** True for a team id: ten characters, A to Z and 0 to 9. Apple: "Locate your Team ID". */
export function isTeamId(text: string): boolean {
  return isTenCharacterId(text)
}

/** True for the id of an authentication key, the `kid` of a provider token: ten characters, A to Z and 0 to 9. */
export function isKeyId(text: string): boolean {
  return isTenCharacterId(text)
}

/**
 * A random team or key id from at least ten random bytes; each byte picks one of 36 characters. The slight bias
 * (256 is no multiple of 36) is harmless: these are names, not secrets.
 */
export function tenCharacterIdOf(random: Uint8Array): string {
  if (random.length < tenCharacterIdLength) {
    throw new RangeError(`An id needs ${tenCharacterIdLength} random bytes, not ${random.length}.`)
  }
  let text = ''
  for (let index = 0; index < tenCharacterIdLength; index++)
    text += alphabet[random[index]! % alphabet.length]
  return text
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'

function isTenCharacterId(text: string): boolean {
  if (text.length !== tenCharacterIdLength) return false
  for (let index = 0; index < tenCharacterIdLength; index++) {
    const code = text.charCodeAt(index)
    if (!((code >= 0x41 && code <= 0x5a) || (code >= 0x30 && code <= 0x39))) return false
  }
  return true
}
