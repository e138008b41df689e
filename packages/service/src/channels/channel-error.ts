export type ChannelErrorCode =
  /** A row of the database holds no channel or no message. */
  | 'CHANNELS_DAMAGED'
  /** The source of randomness gave only ids that were given before. */
  | 'CHANNEL_IDS_REPEAT'

/** An error of the broadcast channels themselves; those of the database keep their own class. */
export class ChannelError extends Error {
  override readonly name = 'ChannelError'
  readonly code: ChannelErrorCode

  constructor(code: ChannelErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
