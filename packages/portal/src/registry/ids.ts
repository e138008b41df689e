const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'

/** 10 characters of A-Z and 0-9, each equally likely: the form of Apple's team, key and resource ids. */
export function makeId(random: (bytes: number) => Uint8Array): string {
  let id = ''
  while (id.length < 10) {
    for (const byte of random(16)) {
      // 252 is the largest multiple of 36 in a byte; what lies above would favour the first letters.
      if (byte < 252 && id.length < 10) id += alphabet[byte % 36]
    }
  }
  return id
}

/** A device identifier in the modern form: 8 hex digits of the chip, 16 of the device. */
export function makeUdid(random: (bytes: number) => Uint8Array): string {
  const digits = Buffer.from(random(8)).toString('hex').toUpperCase()
  return `00008110-${digits}`
}

/** A version 4 UUID (RFC 9562 §5.4) in lower case, as profiles carry it. */
export function makeUuid(random: (bytes: number) => Uint8Array): string {
  const bytes = Uint8Array.from(random(16))
  bytes[6] = (bytes[6]! & 0x0f) | 0x40
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  const hex = Buffer.from(bytes).toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
