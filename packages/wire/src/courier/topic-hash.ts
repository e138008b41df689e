import { sha1 } from '../bytes/sha1.ts'
import { utf8Bytes } from '../bytes/text.ts'

/** The 20 bytes by which courier messages name a topic: SHA-1 of its text. */
export function topicHash(topic: string): Uint8Array {
  return sha1(utf8Bytes(topic))
}
