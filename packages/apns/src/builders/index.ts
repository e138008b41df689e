export { type AlertOptions, alert, type Sound, type Text } from './alert.ts'
export { type BackgroundOptions, background } from './background.ts'
export type { AppData, ApsKeys, BuilderOptions, BuiltNotification } from './build.ts'
export { type CallOptions, pushToTalk, voip } from './calls.ts'
export { type BroadcastEndOptions, type BroadcastUpdateOptions, broadcastActivity } from './channel.ts'
export {
  type ActivityAlert,
  type ActivityEndOptions,
  type ActivityObject,
  type ActivityStartOptions,
  type ActivityUpdateOptions,
  liveActivity,
} from './live-activity.ts'
export { type MdmOptions, mdm } from './mdm.ts'
export { explainPayload, type RawOptions, raw } from './raw.ts'
export {
  complication,
  controls,
  type FileProviderOptions,
  fileProvider,
  location,
  type RefreshOptions,
  widgets,
} from './refreshes.ts'
