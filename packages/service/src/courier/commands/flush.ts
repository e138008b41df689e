import type { MessageOf } from '@carillon/wire'
import { limits } from '../../limits.ts'
import type { CourierSession } from '../session.ts'

/** The device probes its path: it gets as many bytes as it asks for. */
export function answerFlush(session: CourierSession, message: MessageOf<'flush'>): void {
  const padding = new Uint8Array(Math.min(message.wantedBytes ?? 0, limits.flushPaddingBytesMax))
  session.say({ type: 'flushReply', padding })
}
