import { pushTypes } from '@carillon/wire'

/** Push types that the original knows. */
export const PushType = {
  alert: pushTypes.alert.value,
  background: pushTypes.background.value,
  voip: pushTypes.voip.value,
  complication: pushTypes.complication.value,
  fileprovider: pushTypes.fileprovider.value,
  mdm: pushTypes.mdm.value,
  liveactivity: pushTypes.liveactivity.value,
  location: pushTypes.location.value,
  pushtotalk: pushTypes.pushtotalk.value,
} as const
export type PushType = (typeof PushType)[keyof typeof PushType]
