import { ConnectionError, ErrorCode, Http2UsageError } from './errors.ts'

/** Setting identifiers (RFC 9113 §6.5.2). */
export const SettingId = {
  HEADER_TABLE_SIZE: 1,
  ENABLE_PUSH: 2,
  MAX_CONCURRENT_STREAMS: 3,
  INITIAL_WINDOW_SIZE: 4,
  MAX_FRAME_SIZE: 5,
  MAX_HEADER_LIST_SIZE: 6,
} as const

/** The settings of one end, as numbers of RFC 9113 §6.5.2. */
export interface Settings {
  headerTableSize: number
  enablePush: boolean
  maxConcurrentStreams: number
  initialWindowSize: number
  maxFrameSize: number
  maxHeaderListSize: number
}

export const WINDOW_SIZE_MAX = 0x7fffffff
const FRAME_SIZE_MIN = 16_384
const FRAME_SIZE_MAX = 0xffffff
export const STREAM_ID_MAX = 0x7fffffff

/** What holds for a peer until its SETTINGS arrive (RFC 9113 §6.5.2, initial values). */
export const initialSettings = (): Settings => ({
  headerTableSize: 4096,
  enablePush: true,
  maxConcurrentStreams: Number.POSITIVE_INFINITY,
  initialWindowSize: 65_535,
  maxFrameSize: FRAME_SIZE_MIN,
  maxHeaderListSize: Number.POSITIVE_INFINITY,
})

/** What a server of ours announces: the values observed from Apple's push service. */
export const SERVER_SETTINGS = {
  headerTableSize: 4096,
  maxConcurrentStreams: 1000,
  initialWindowSize: 65_535,
  maxFrameSize: 16_384,
  maxHeaderListSize: 8000,
} as const

/** What a client of ours announces; server push is always switched off. */
export const CLIENT_SETTINGS = {
  headerTableSize: 4096,
  initialWindowSize: 65_535,
  maxFrameSize: 16_384,
  maxHeaderListSize: 16_384,
} as const

/** Checks one received setting and stores it. Unknown identifiers are ignored (RFC 9113 §6.5.2). */
export const applySetting = (settings: Settings, id: number, value: number, fromServer: boolean): void => {
  switch (id) {
    case SettingId.HEADER_TABLE_SIZE:
      settings.headerTableSize = value
      return
    case SettingId.ENABLE_PUSH:
      // RFC 9113 §6.5.2: only 0 and 1; a server must not send 1.
      if (value > 1 || (fromServer && value === 1)) {
        throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, `SETTINGS_ENABLE_PUSH was ${value}`)
      }
      settings.enablePush = value === 1
      return
    case SettingId.MAX_CONCURRENT_STREAMS:
      settings.maxConcurrentStreams = value
      return
    case SettingId.INITIAL_WINDOW_SIZE:
      if (value > WINDOW_SIZE_MAX) {
        throw new ConnectionError(
          ErrorCode.FLOW_CONTROL_ERROR,
          `SETTINGS_INITIAL_WINDOW_SIZE was ${value}, above 2^31-1`,
        )
      }
      settings.initialWindowSize = value
      return
    case SettingId.MAX_FRAME_SIZE:
      if (value < FRAME_SIZE_MIN || value > FRAME_SIZE_MAX) {
        throw new ConnectionError(
          ErrorCode.PROTOCOL_ERROR,
          `SETTINGS_MAX_FRAME_SIZE was ${value}, outside 2^14..2^24-1`,
        )
      }
      settings.maxFrameSize = value
      return
    case SettingId.MAX_HEADER_LIST_SIZE:
      settings.maxHeaderListSize = value
  }
}

/** Settings a caller may choose for its own end. */
export type OwnSettings = Omit<Settings, 'enablePush'>

/** Refuses values of our own that a peer would have to answer with a connection error. */
export const checkOwnSettings = (settings: OwnSettings): OwnSettings => {
  const within = (name: keyof OwnSettings, least: number, most: number): void => {
    const value = settings[name]
    if (!Number.isInteger(value) || value < least || value > most) {
      throw new Http2UsageError(
        'INVALID_OPTION',
        `${name} is ${value}: give a whole number from ${least} to ${most}`,
      )
    }
  }
  within('headerTableSize', 0, 65_536)
  within('maxConcurrentStreams', 0, 0xffffffff)
  within('initialWindowSize', 0, WINDOW_SIZE_MAX)
  within('maxFrameSize', FRAME_SIZE_MIN, FRAME_SIZE_MAX)
  within('maxHeaderListSize', 0, 0xffffffff)
  return settings
}
