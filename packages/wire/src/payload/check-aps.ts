import type { PushType } from '../gateway/push-types.ts'
import { alertKeys, apsKeys, type KeyRow, soundKeys } from './aps-keys.ts'
import { describe, type PayloadProblem } from './problem.ts'

type Keys = Readonly<Record<string, unknown>>

/** Checks each key of `aps`, of the alert and of the sound by its row. */
export function checkAps(aps: Keys, pushType: PushType, problems: PayloadProblem[]): void {
  checkKeys(aps, apsKeys, 'aps', pushType, problems)
  const alert = aps.alert
  if (isObject(alert)) {
    checkKeys(alert, alertKeys, 'aps.alert', pushType, problems)
    checkArguments(alert, 'title-loc-key', 'title-loc-args', problems)
    checkArguments(alert, 'subtitle-loc-key', 'subtitle-loc-args', problems)
    checkArguments(alert, 'loc-key', 'loc-args', problems)
  }
  if (isObject(aps.sound)) checkKeys(aps.sound, soundKeys, 'aps.sound', pushType, problems)
}

function checkKeys(
  value: Keys,
  rows: Readonly<Record<string, KeyRow>>,
  path: string,
  pushType: PushType,
  problems: PayloadProblem[],
): void {
  for (const key of Object.keys(value)) {
    const row = Object.hasOwn(rows, key) ? rows[key]! : undefined
    if (row === undefined) problems.push(unknownKey(key, rows, path))
    else if (!row.accepts(value[key])) {
      problems.push({
        path: `${path}.${key}`,
        severity: 'error',
        message: `${path}.${key} is ${describe(value[key])}; it must be ${row.expected}.`,
        fix: `Write ${row.expected}, or leave the key out.`,
      })
    } else if (row.only !== undefined && !row.only.includes(pushType)) {
      problems.push({
        path: `${path}.${key}`,
        severity: 'warning',
        message: `${path}.${key} means nothing in a push of type ${pushType}.`,
        fix: `Send it with push type ${row.only.join(' or ')}, or leave it out.`,
      })
    }
  }
}

/** Apple: "Generating a remote notification": unknown keys in aps are ignored; most are misspelled known ones. */
function unknownKey(key: string, rows: Readonly<Record<string, KeyRow>>, path: string): PayloadProblem {
  const near = nearestKey(key, Object.keys(rows))
  const problem = { path: `${path}.${key}`, severity: 'warning' } as const
  const message = `${path} has no key ${JSON.stringify(key)}; devices ignore it.`
  if (near !== undefined) return { ...problem, message, fix: `Write ${near}.` }
  if (path === 'aps' && Object.hasOwn(alertKeys, key))
    return { ...problem, message, fix: `Move it into aps.alert.` }
  return { ...problem, message, fix: 'Put data of your app beside aps, not into it.' }
}

/** The key that was probably meant: the same letters with other separators or cases, or one typing error away. */
function nearestKey(key: string, known: readonly string[]): string | undefined {
  const letters = lettersOf(key)
  return (
    known.find((candidate) => lettersOf(candidate) === letters) ??
    known.find((candidate) => isOneEditAway(letters, lettersOf(candidate)))
  )
}

function lettersOf(key: string): string {
  return key.replaceAll('-', '').replaceAll('_', '').toLowerCase()
}

/** One character added, missing, other, or swapped with its neighbour. */
function isOneEditAway(left: string, right: string): boolean {
  if (Math.abs(left.length - right.length) > 1 || left.length > 64) return false
  let start = 0
  while (start < left.length && left[start] === right[start]) start += 1
  const leftRest = left.slice(start)
  const rightRest = right.slice(start)
  if (leftRest.slice(1) === rightRest.slice(1)) return true
  if (leftRest.slice(1) === rightRest || leftRest === rightRest.slice(1)) return true
  return (
    leftRest[0] === rightRest[1] && leftRest[1] === rightRest[0] && leftRest.slice(2) === rightRest.slice(2)
  )
}

function checkArguments(alert: Keys, key: string, argsKey: string, problems: PayloadProblem[]): void {
  if (alert[argsKey] === undefined || alert[key] !== undefined) return
  problems.push({
    path: `aps.alert.${argsKey}`,
    severity: 'warning',
    message: `aps.alert.${argsKey} fills nothing, because there is no ${key}.`,
    fix: `Add aps.alert.${key}, or leave the arguments out.`,
  })
}

function isObject(value: unknown): value is Keys {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
