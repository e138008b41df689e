/**
 * What is counted, each by app, push type and priority. The first group are the rows of Apple's metrics page
 * ("Viewing the status of push notifications using Metrics and APNs"), the others are ours.
 */
export const counters = [
  'received',
  'delivered',
  'deliveredFromStorage',
  'storedOffline',
  'storedPower',
  'discardedUnregistered',
  'discardedUnregisteredFromStorage',
  'discardedExpired',
  'discardedDisabled',
  'discardedDisabledFromStorage',
  'storedPaused',
  'storedWindow',
  'replaced',
  'sent',
  'shown',
  'opened',
  'tokensInactive',
  'rejected',
] as const

/** `rejected` is counted for each reason apart, as `rejected:BadDeviceToken`. */
export type Counter = (typeof counters)[number]

/** The places of the counters in the arrays. */
export const column = Object.fromEntries(counters.map((name, index) => [name, index])) as Readonly<
  Record<Counter, number>
>

const rejectedPrefix = 'rejected:'

/** The name under which the rejections of a reason are counted. */
export function rejectedCounter(reason: string): string {
  return rejectedPrefix + reason
}

/** The reason in such a name, undefined for other names. */
export function rejectedReasonOf(counter: string): string | undefined {
  return counter.startsWith(rejectedPrefix) ? counter.slice(rejectedPrefix.length) : undefined
}
