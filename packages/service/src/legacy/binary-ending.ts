import { type BinaryStatusName, binaryStatuses, encodeBinaryError } from '@carillon/wire'

/** How a binary connection ends, once everything before is settled. Of several reasons to end, the first one is told. */
export class BinaryEnding {
  /** Of the notification that is to blame, or of the first one that does not count any more. */
  #place = Number.POSITIVE_INFINITY
  #packet: Uint8Array | undefined

  get isKnown(): boolean {
    return this.#place !== Number.POSITIVE_INFINITY
  }

  /** The error packet; undefined where the connection is closed without a word. */
  get packet(): Uint8Array | undefined {
    return this.#packet
  }

  /** A notification is to blame, which came by this command. */
  blame(place: number, command: number, status: BinaryStatusName, identifier: number): void {
    // Seen by clients of Apple's gateway: command 0, which has no identifier, gets no packet but a closed connection.
    this.#set(place, command === 0 ? undefined : packetOf(status, identifier))
  }

  /** Nobody is to blame: `identifier` is that of the last one that counts, and the client sends the rest again. */
  giveUp(place: number, identifier: number): void {
    this.#set(place, packetOf('shutdown', identifier))
  }

  #set(place: number, packet: Uint8Array | undefined): void {
    if (this.#place <= place) return
    this.#place = place
    this.#packet = packet
  }
}

function packetOf(status: BinaryStatusName, identifier: number): Uint8Array {
  return encodeBinaryError({ status: binaryStatuses[status].code, identifier })
}
