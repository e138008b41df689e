import { PortalError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { App, AppChange, AppOperations, AppRequest } from '../operations.ts'
import { checkBundleId, checkName, checkRoom, isWildcard, requestInvalid } from './checks.ts'
import type { RegistryContext } from './context.ts'

/** App IDs: what may be pushed to, and how. */
export function appOperations(context: RegistryContext): AppOperations {
  const { database, memory } = context
  const insert = database.prepare(
    `INSERT INTO apps (bundle_id, name, push, inbox_max, broadcast, created_at) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT DO NOTHING`,
  )
  const change = database.prepare(
    `UPDATE apps SET name = COALESCE(?, name), push = COALESCE(?, push), inbox_max = COALESCE(?, inbox_max),
       broadcast = CASE WHEN COALESCE(?, push) = 0 THEN 0 ELSE COALESCE(?, broadcast) END
     WHERE bundle_id = ?`,
  )

  return {
    async create(request) {
      const app = newApp(request, context)
      if (memory.apps.has(app.bundleId)) throw exists(app.bundleId)
      checkRoom(memory.apps.size, limits.appsMax, 'APP_LIMIT', 'App IDs')
      const added = await database.run(insert, [
        app.bundleId,
        app.name,
        Number(app.push),
        app.inboxMax,
        Number(app.broadcast),
        app.createdAt,
      ])
      if (added === 0) throw exists(app.bundleId)
      remember(context, app)
      return app
    },

    async list() {
      return [...memory.apps.values()].sort((a, b) => (a.bundleId < b.bundleId ? -1 : 1))
    },

    async get(bundleId) {
      return findApp(context, bundleId)
    },

    async update(bundleId, wanted) {
      const checked = changedApp(findApp(context, bundleId), wanted)
      const push = wanted.push === undefined ? null : Number(wanted.push)
      await database.run(change, [
        wanted.name === undefined ? null : checked.name,
        push,
        wanted.inboxMax ?? null,
        push,
        wanted.broadcast === undefined ? null : Number(wanted.broadcast),
        bundleId,
      ])
      // Applied to what is there now: another change may have come in between, and its fields stay.
      const app = changedApp(findApp(context, bundleId), wanted)
      remember(context, app)
      return app
    },
  }
}

/** The App ID, or `APP_UNKNOWN`. */
export function findApp({ memory }: Pick<RegistryContext, 'memory'>, bundleId: string): App {
  const app = memory.apps.get(bundleId)
  if (app !== undefined) return app
  throw new PortalError(
    'APP_UNKNOWN',
    `There is no App ID "${bundleId}" in this portal.`,
    `Create it first: carillon portal app create --bundle-id ${bundleId} --name NAME`,
  )
}

function newApp(request: AppRequest, { team, now }: RegistryContext): App {
  const { bundleId } = request
  checkBundleId(bundleId)
  const push = request.push ?? !isWildcard(bundleId)
  if (push && isWildcard(bundleId)) throw wildcard(bundleId)
  return {
    bundleId,
    name: checkName(request.name, 'app'),
    teamId: team.teamId,
    appId: `${team.teamId}.${bundleId}`,
    push,
    inboxMax: checkInbox(request.inboxMax ?? 1),
    broadcast: checkBroadcast(request.broadcast ?? false, bundleId, push),
    createdAt: now(),
  }
}

function changedApp(app: App, change: AppChange): App {
  if (change.push === true && isWildcard(app.bundleId)) throw wildcard(app.bundleId)
  const push = change.push ?? app.push
  return {
    ...app,
    name: change.name === undefined ? app.name : checkName(change.name, 'app'),
    push,
    inboxMax: change.inboxMax === undefined ? app.inboxMax : checkInbox(change.inboxMax),
    broadcast: checkBroadcast(change.broadcast ?? (push && app.broadcast), app.bundleId, push),
  }
}

function remember({ memory, changed }: RegistryContext, app: App): void {
  memory.apps.set(app.bundleId, app)
  changed({ type: 'app', bundleId: app.bundleId })
}

function checkInbox(inboxMax: number): number {
  if (Number.isInteger(inboxMax) && inboxMax >= 1 && inboxMax <= limits.inboxMax) return inboxMax
  throw requestInvalid(
    `An inbox cannot keep ${inboxMax} notifications.`,
    `Use a number from 1 (Apple's rule) to ${limits.inboxMax}.`,
  )
}

function checkBroadcast(broadcast: boolean, bundleId: string, push: boolean): boolean {
  if (!broadcast || push) return broadcast
  throw new PortalError(
    'APP_PUSH_OFF',
    `The App ID "${bundleId}" has no push capability, which broadcasts need.`,
    'Switch push on with it, or leave broadcast off.',
  )
}

function exists(bundleId: string): PortalError {
  return new PortalError(
    'APP_EXISTS',
    `The App ID "${bundleId}" exists already.`,
    'Use it as it is, or choose another bundle id.',
  )
}

function wildcard(bundleId: string): PortalError {
  return new PortalError(
    'APP_WILDCARD_NO_PUSH',
    `The App ID "${bundleId}" stands for many apps and cannot have the push capability.`,
    'Use an explicit bundle id such as com.example.app, or leave push off.',
  )
}
