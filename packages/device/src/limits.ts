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
  /** Notifications on their way to the disk; with more than these the device stops reading until half are done. */
  arrivingMax: 256,
  /** Padding that a courier may ask for to probe the path; it gets no more than this. */
  flushPaddingBytesMax: 1_024,
  /** Ids of shown notifications that are remembered, oldest forgotten first: what a late duplicate is checked against. */
  shownIdsMax: 5_000,
  /** The journal is rewritten with what still matters when it has grown by this much. */
  journalBytesMax: 4 * 1024 * 1024,
  /** Removed apps that still answer "no recipient"; the one removed longest ago is forgotten beyond that. */
  goneAppsMax: 200,
  /** Longest provisioning profile; real ones have a few kilobytes. A longer one is refused as unreadable. */
  profileBytesMax: 1024 * 1024,
  /** Time that `register()` waits for a token; then it rejects, and the device asks again when it next connects. */
  registerMsMax: 30_000,
} as const
