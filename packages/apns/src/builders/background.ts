import { type BuilderOptions, type BuiltNotification, build } from './build.ts'

/** For {@link background}; 10 is no priority of such a push. */
export type BackgroundOptions = BuilderOptions<5 | 1>

/**
 * Wakes the app, the user sees nothing; priority 5. Apple: "Pushing background updates to your App": two or three in
 * an hour at most, and the device holds only the newest.
 */
export const background = (options: BackgroundOptions): BuiltNotification<'background'> =>
  build('background', options, { aps: { 'content-available': 1 }, priority: 5 })
