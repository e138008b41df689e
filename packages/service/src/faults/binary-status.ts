import { type BinaryStatusName, binaryStatuses } from '@carillon/wire'

/** The status of an error packet, by its own name or by the reason of the HTTP/2 interface that means the same. */
export function binaryStatusOf(text: string): BinaryStatusName | undefined {
  const rows = Object.entries(binaryStatuses)
  const found = rows.find(([name, { gatewayReason }]) => name === text || gatewayReason === text)
  return found?.[0] as BinaryStatusName | undefined
}
