/** A small DER writer for the tests of the reader: it writes whatever it is told, right or wrong. */
export function der(tag: number, content: Uint8Array): Uint8Array {
  const { length } = content
  const header =
    length < 0x80
      ? [length]
      : length < 0x100
        ? [0x81, length]
        : length < 0x10000
          ? [0x82, length >> 8, length & 0xff]
          : [0x83, length >> 16, (length >> 8) & 0xff, length & 0xff]
  const bytes = new Uint8Array(1 + header.length + length)
  bytes.set([tag, ...header])
  bytes.set(content, 1 + header.length)
  return bytes
}

/** An element around the given elements. */
export function derOf(tag: number, ...parts: Uint8Array[]): Uint8Array {
  const content = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let offset = 0
  for (const part of parts) {
    content.set(part, offset)
    offset += part.length
  }
  return der(tag, content)
}

export function text(value: string): Uint8Array {
  return der(0x0c, new TextEncoder().encode(value))
}

export function oidBytes(oid: string): number[] {
  const [first = 0, second = 0, ...rest] = oid.split('.').map(Number)
  return [first * 40 + second, ...rest].flatMap((arc) => {
    const digits = [arc % 128]
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) {
      digits.unshift((left % 128) | 0x80)
    }
    return digits
  })
}

export interface CertificateParts {
  /** The content of the INTEGER as it is. */
  readonly serial: Uint8Array
  /** GeneralizedTime where it has 15 characters, otherwise UTCTime. */
  readonly notBefore: string
  readonly notAfter: string
  readonly subject: readonly (readonly [oid: string, value: string])[]
  readonly extensions: readonly {
    readonly oid: string
    readonly critical?: boolean
    readonly value: Uint8Array
  }[]
}

/** A certificate with a signature of zeros. */
export function certificate(parts: CertificateParts): Uint8Array {
  const oid = (value: string) => der(0x06, Uint8Array.from(oidBytes(value)))
  const time = (value: string) => der(value.length === 15 ? 0x18 : 0x17, new TextEncoder().encode(value))
  const algorithm = derOf(0x30, oid('1.2.840.10045.4.3.2'))
  const subject = parts.subject.map(([id, value]) => derOf(0x31, derOf(0x30, oid(id), text(value))))
  const extensions = parts.extensions.map(({ oid: id, critical, value }) =>
    derOf(0x30, oid(id), ...(critical === true ? [der(1, Uint8Array.of(0xff))] : []), der(4, value)),
  )
  const signedPart = derOf(
    0x30,
    derOf(0xa0, der(2, Uint8Array.of(2))),
    der(2, parts.serial),
    algorithm,
    derOf(0x30),
    derOf(0x30, time(parts.notBefore), time(parts.notAfter)),
    derOf(0x30, ...subject),
    derOf(0x30, derOf(0x30, oid('1.2.840.10045.2.1')), der(3, Uint8Array.of(0, 4))),
    derOf(0xa3, derOf(0x30, ...extensions)),
  )
  return derOf(0x30, signedPart, algorithm, der(3, Uint8Array.of(0, 0)))
}
