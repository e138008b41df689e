import { ConnectionError, ErrorCode } from './errors.ts'

/** Refuses a frame of the connection where a stream is demanded. */
export const needStream = (id: number, frame: string): void => {
  if (id === 0) throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, `${frame} on stream 0`)
}

/** Refuses a frame of a stream where stream 0 is demanded. */
export const needConnection = (id: number, frame: string): void => {
  if (id !== 0) throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, `${frame} on a stream`)
}

/** Refuses a frame whose length is fixed and another. */
export const needLength = (length: number, wanted: number, frame: string): void => {
  if (length !== wanted) throw new ConnectionError(ErrorCode.FRAME_SIZE_ERROR, `${frame} has a broken length`)
}

/** The length of the padding after the content (RFC 9113 §6.1); the length octet itself is not in it. */
export const paddingLength = (payload: Buffer, start: number, end: number): number => {
  if (end === start) throw new ConnectionError(ErrorCode.FRAME_SIZE_ERROR, 'a padded frame is empty')
  const padding = payload[start]!
  if (padding >= end - start)
    throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, 'padding longer than the frame')
  return padding
}
