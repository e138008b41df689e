/** Every bound of the device, with what happens when it is reached. */
export const limits = {
  /** First wait after a lost connection; the wait itself is drawn between 0 and the bound (full jitter). */
  reconnectMsMin: 1_000,
  /** The bound doubles with each failure up to here. */
  reconnectMsMax: 300_000,
  /** A connection that lived this long was healthy: the next loss starts at `reconnectMsMin` again. */
  healthyMsMin: 60_000,
  /** TCP, TLS and the answer to `connect` together; after that the attempt is given up and tried again. */
  connectMsMax: 15_000,
  /** Time for the courier to close its end when the device leaves; then the connection is cut. */
  goodbyeMsMax: 1_000,
  /** Silence after which the device asks whether the courier is still there. */
  keepAliveMs: 300_000,
  /** No answer to that within this time: the connection is dropped and made anew. */
  keepAliveReplyMsMax: 15_000,
  /** How late a reply may be that the courier was asked to give after a while; then the same. */
  keepAliveLateMsMax: 35_000,
  /** Time for the courier to confirm a filter where it said that it does; then the same. */
  filterReplyMsMax: 30_000,
  /** Acknowledged notifications that are named to the courier after a loss; older ones are sent once more, and known. */
  handledNamedMax: 256,
  /** Notifications on their way to the disk; with more than these the device stops reading until half are done. */
  arrivingMax: 256,
  /** Padding that a courier may ask for to probe the path; it gets no more than this. */
  flushPaddingBytesMax: 1_024,
  /** Ids of shown notifications that are remembered, oldest forgotten first: what a late duplicate is checked against. */
  shownIdsMax: 5_000,
  /** The same in a browser, where all of them are written with each change. */
  shownIdsInBrowserMax: 500,
  /** The journal is rewritten with what still matters when it has grown by this much. */
  journalBytesMax: 4 * 1024 * 1024,
  /** Removed apps, topics in a browser, that still answer "no recipient"; the one removed longest ago is forgotten beyond that. */
  goneAppsMax: 200,
  /** Channels that the apps of a device listen to; further ones are refused. */
  channelsMax: 200,
  /** Longest provisioning profile; real ones have a few kilobytes. A longer one is refused as unreadable. */
  profileBytesMax: 1024 * 1024,
  /** Time that `register()` waits for a token; then it rejects, and the device asks again when it next connects. */
  registerMsMax: 30_000,
  /** Notifications whose token is remembered for such a report; for older ones it is that of the app's own topic. */
  reportedTokensMax: 1_000,
  /** Reports of what was shown and opened that wait for a connection; the oldest is dropped beyond that. */
  reportsWaitingMax: 1_000,
} as const
