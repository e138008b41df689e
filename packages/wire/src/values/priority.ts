/**
 * `apns-priority`. 10: at once; 5: by power considerations of the device; 1: power above all, never wakes it.
 * Apple: "Sending notification requests to APNs".
 */
export type Priority = 10 | 5 | 1

export const priorities = [10, 5, 1] as const satisfies readonly Priority[]

/** What a request without the header means. */
export const priorityDefault: Priority = 10

/** The priority written in decimal, or undefined. '05', '10.0' and '' are none. */
export function parsePriority(text: string): Priority | undefined {
  if (text === '10') return 10
  if (text === '5') return 5
  return text === '1' ? 1 : undefined
}
