/** The 16 bytes of an apns-id in its 8-4-4-4-12 form, either case. The gateway has checked the form. */
export function apnsIdBytes(apnsId: string): Uint8Array {
  const bytes = new Uint8Array(16)
  let at = 0
  for (let index = 0; index < 16; index++) {
    if (apnsId.charCodeAt(at) === 45) at++
    bytes[index] = (digit(apnsId.charCodeAt(at)) << 4) | digit(apnsId.charCodeAt(at + 1))
    at += 2
  }
  return bytes
}

function digit(code: number): number {
  return code < 58 ? code - 48 : (code | 0x20) - 87
}
