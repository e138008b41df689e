import { packedTableBytesDefault, packedTableBytesMax } from '../../limits.ts'
import { courierAlpn } from '../codes.ts'

/** The sizes of the two value tables of a packed connection. */
export interface PackedTableSizes {
  /** Table of the client's encoder and the courier's decoder. */
  fromDeviceBytes: number
  /** Table of the courier's encoder and the client's decoder. */
  fromCourierBytes: number
}

/**
 * The table sizes that an ALPN name agrees on: 4096 each for the bare `apns-pack-v1`, else the two numbers of
 * `apns-pack-v1:<client encoder>:<client decoder>`.
 *
 * @returns `undefined` for any other name, and for tables over `packedTableBytesMax`
 */
export function packedTableSizes(alpn: string): PackedTableSizes | undefined {
  if (alpn === courierAlpn.packV1) {
    return { fromDeviceBytes: packedTableBytesDefault, fromCourierBytes: packedTableBytesDefault }
  }
  const [name, first, second, ...rest] = alpn.split(':')
  if (name !== courierAlpn.packV1 || rest.length > 0) return undefined
  const fromDeviceBytes = tableBytes(first)
  const fromCourierBytes = tableBytes(second)
  if (fromDeviceBytes === undefined || fromCourierBytes === undefined) return undefined
  return { fromDeviceBytes, fromCourierBytes }
}

function tableBytes(text: string | undefined): number | undefined {
  if (text === undefined || !/^[0-9]{1,9}$/.test(text)) return undefined
  const bytes = Number(text)
  return bytes <= packedTableBytesMax ? bytes : undefined
}
