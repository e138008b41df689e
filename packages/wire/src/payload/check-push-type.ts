import type { PushType } from '../gateway/push-types.ts'
import type { PayloadProblem } from './problem.ts'

type Keys = Readonly<Record<string, unknown>>

/** Checks what a push type demands of `aps` as a whole. Apple: "Sending notification requests to APNs". */
export function checkPushTypeRules(
  aps: Keys,
  pushType: PushType,
  isBroadcast: boolean,
  problems: PayloadProblem[],
): void {
  if (pushType === 'background') checkBackground(aps, problems)
  if (pushType === 'alert') checkAlert(aps, problems)
  if (pushType === 'liveactivity') checkLiveActivity(aps, isBroadcast, problems)
  const reloads = pushType === 'widgets' || pushType === 'controls'
  if (reloads && aps['content-changed'] === undefined) {
    const message = `A ${pushType} push reloads nothing without aps.content-changed.`
    problems.push({
      path: 'aps.content-changed',
      severity: 'error',
      message,
      fix: 'Add "content-changed": true.',
    })
  }
}

const visibleKeys = ['alert', 'badge', 'sound'] as const

function checkBackground(aps: Keys, problems: PayloadProblem[]): void {
  // Apple: "Pushing background updates to your App"
  if (aps['content-available'] !== 1) {
    const message = 'A background push wakes the app only with aps.content-available.'
    problems.push({
      path: 'aps.content-available',
      severity: 'error',
      message,
      fix: 'Add "content-available": 1.',
    })
  }
  for (const key of visibleKeys) {
    if (aps[key] === undefined) continue
    const message = `A background push must not hold ${key}; the device may drop it.`
    const fix = `Remove aps.${key}, or send it with push type alert.`
    problems.push({ path: `aps.${key}`, severity: 'error', message, fix })
  }
}

function checkAlert(aps: Keys, problems: PayloadProblem[]): void {
  if (visibleKeys.every((key) => aps[key] === undefined)) {
    const message = 'An alert push without alert, badge and sound shows nothing.'
    const fix =
      aps['content-available'] === 1
        ? 'Send it with push type background and priority 5.'
        : 'Add an alert: "alert": { "title": "…", "body": "…" }.'
    problems.push({ path: 'aps', severity: 'warning', message, fix })
  }
  if (aps['mutable-content'] === 1 && aps.alert === undefined) {
    const message = 'The service extension does not run for a push without an alert.'
    problems.push({
      path: 'aps.mutable-content',
      severity: 'warning',
      message,
      fix: 'Add an alert with a body.',
    })
  }
  const score = aps['relevance-score']
  if (typeof score === 'number' && (score < 0 || score > 1)) {
    const message = `aps.relevance-score is ${score}; it must be from 0 to 1.`
    problems.push({
      path: 'aps.relevance-score',
      severity: 'error',
      message,
      fix: 'Divide it into that range.',
    })
  }
}

/** Apple: "Starting and updating Live Activities with ActivityKit push notifications" */
function checkLiveActivity(aps: Keys, isBroadcast: boolean, problems: PayloadProblem[]): void {
  const event = aps.event
  const required = ['timestamp', 'event']
  if (event !== 'end') required.push('content-state')
  if (event === 'start') required.push('alert', 'attributes-type', 'attributes')
  for (const key of required) {
    if (aps[key] !== undefined) continue
    const message = `A Live Activity push${event === 'start' ? ' that starts one' : ''} needs aps.${key}.`
    problems.push({ path: `aps.${key}`, severity: 'error', message, fix: `Add ${key} to aps.` })
  }
  if (isBroadcast && event === 'start') {
    const message = 'A broadcast can update or end an activity, not start one.'
    const fix = 'Start it with a push to the device, with aps.input-push-channel.'
    problems.push({ path: 'aps.event', severity: 'error', message, fix })
  }
}
