import { type BuilderOptions, type BuiltNotification, build, finish, topicOf } from './build.ts'
import { checkData, checkOptions } from './check-options.ts'

/** For pushes that say "there is news": what the app needs stands in `data`. */
export type RefreshOptions = BuilderOptions

// Unverified against Apple: no priority is documented for these; what somebody looks at gets 10, the rest 5.

/** Updates a watch complication, at priority 10. */
export const complication = (options: RefreshOptions): BuiltNotification<'complication'> =>
  build('complication', options, { aps: {}, priority: 10 })

/** Reloads widgets, at priority 5. Apple: "Updating widgets with WidgetKit push notifications" */
export const widgets = (options: RefreshOptions): BuiltNotification<'widgets'> =>
  build('widgets', options, { aps: { 'content-changed': true }, priority: 5 })

/** Reloads a control, at priority 10. Apple: "Updating controls locally and remotely" */
export const controls = (options: RefreshOptions): BuiltNotification<'controls'> =>
  build('controls', options, { aps: { 'content-changed': true }, priority: 10 })

/** Asks the app where the user is, at priority 10. Needs an auth key: a certificate will not do. */
export const location = (options: RefreshOptions): BuiltNotification<'location'> =>
  build('location', options, { aps: {}, priority: 10 })

/** For {@link fileProvider}. */
export interface FileProviderOptions extends Omit<RefreshOptions, 'aps'> {
  /** What changed; the working set as a rule. */
  readonly containerIdentifier?: string
  /** The domain of the provider, where it has several. */
  readonly domain?: string
}

/** Tells a file provider extension that its files changed, at priority 5. Apple: NSFileProviderManager.h */
export const fileProvider = (options: FileProviderOptions): BuiltNotification<'fileprovider'> => {
  checkOptions(options)
  const { containerIdentifier, domain, data } = options
  checkData(data)
  const payload = {
    ...(containerIdentifier === undefined ? {} : { 'container-identifier': containerIdentifier }),
    ...(domain === undefined ? {} : { domain }),
    ...data,
  }
  return finish('fileprovider', topicOf('fileprovider', options.bundleId), payload, options, { priority: 5 })
}
