import { type Environment, hexBytes, hexText, isEnvironment, isHex } from '@carillon/wire'
import { DeviceError } from '../device-error.ts'
import { limits } from '../limits.ts'
import { installationBytes } from '../session/courier-session.ts'
import { areSuffixedTopics, type SuffixedTopic } from './app-topics.ts'
import { type DeviceFiles, readIfThere, replaceFile } from './device-files.ts'
import { SharedWrite } from './shared-write.ts'

/** What the device keeps of one installed app. */
export interface AppState {
  readonly bundleId: string
  readonly environment: Environment
  /** 8 bytes in hex, drawn when the app was installed. */
  readonly installation: string
  /** Lower-case hex; absent until the courier issued it. */
  readonly deviceToken?: string
  /** Its topics for other push types; left out where it registered for none. */
  readonly suffixed?: readonly SuffixedTopic[]
  /** The number on its icon. */
  readonly badge: number
}

/** An app that was removed while the push service may still think that it is here. */
export interface GoneApp {
  readonly bundleId: string
  readonly environment: Environment
  readonly suffixed?: readonly SuffixedTopic[]
}

interface Stored {
  readonly version: 1
  readonly baseTokens: { readonly [E in Environment]?: string }
  readonly apps: readonly AppState[]
  readonly gone: readonly GoneApp[]
}

/**
 * What must outlive the process: base tokens and installed apps. A change is seen at once, and is on disk when
 * its promise resolves. An app is changed by what is to become of it, never by a copy that may be stale.
 */
export class DeviceState {
  #stored: Stored
  readonly #write: SharedWrite

  private constructor(files: DeviceFiles, stored: Stored) {
    this.#stored = stored
    this.#write = new SharedWrite(() => replaceFile(files.state, `${JSON.stringify(this.#stored)}\n`))
  }

  /** @throws DeviceError `STATE_UNREADABLE` */
  static async open(files: DeviceFiles): Promise<DeviceState> {
    const text = await readIfThere(files.state)
    const empty: Stored = { version: 1, baseTokens: {}, apps: [], gone: [] }
    return new DeviceState(files, text === undefined ? empty : parse(text, files.state))
  }

  baseToken(environment: Environment): Uint8Array | undefined {
    const hex = this.#stored.baseTokens[environment]
    return hex === undefined ? undefined : hexBytes(hex)
  }

  /** Another base token voids the tokens of all apps in its environment: they are asked for again. */
  setBaseToken(environment: Environment, token: Uint8Array): Promise<void> {
    const hex = hexText(token)
    const { apps, baseTokens } = this.#stored
    const known = baseTokens[environment]
    if (known === hex) return this.settled()
    const voided = (app: AppState) => known !== undefined && app.environment === environment
    return this.#change({
      apps: apps.map((app) => (voided(app) ? withoutToken(app) : app)),
      baseTokens: { ...baseTokens, [environment]: hex },
    })
  }

  apps(environment?: Environment): readonly AppState[] {
    return this.#stored.apps.filter((app) => environment === undefined || app.environment === environment)
  }

  app(bundleId: string): AppState | undefined {
    return this.#stored.apps.find((app) => app.bundleId === bundleId)
  }

  /** Installs an app. One that is installed in the same environment keeps all it has. */
  addApp(app: Pick<AppState, 'bundleId' | 'environment' | 'installation'>): Promise<void> {
    const known = this.app(app.bundleId)
    if (known?.environment === app.environment) return this.settled()
    const { apps } = this.#stored
    // Its own topic gets a new token. Others it may never ask for again, and what comes for them is for nobody.
    const gone = this.#stored.gone.filter((one) => !isSame(one, app) || one.suffixed !== undefined)
    return this.#change({
      apps: [...without(apps, app.bundleId), { ...app, badge: 0 }],
      // Where it moved to the other environment, its token in the old one is dead.
      gone: known ? withGone(gone, known) : gone,
    })
  }

  /** Nothing happens where the app is not installed. */
  changeApp(
    bundleId: string,
    change: Partial<Pick<AppState, 'deviceToken' | 'suffixed' | 'badge'>>,
  ): Promise<void> {
    const known = this.app(bundleId)
    if (!known) return this.settled()
    const apps = this.#stored.apps.map((app) => (app === known ? { ...app, ...change } : app))
    return this.#change({ apps })
  }

  removeApp(bundleId: string): Promise<void> {
    const removed = this.app(bundleId)
    if (!removed) return this.settled()
    const { apps, gone } = this.#stored
    return this.#change({
      apps: without(apps, bundleId),
      gone: withGone(gone, removed),
    })
  }

  /** Removed apps: whatever comes for them is answered with "no recipient". */
  gone(environment: Environment): readonly GoneApp[] {
    return this.#stored.gone.filter((app) => app.environment === environment)
  }

  /** Resolves when nothing is being written any more; whether it went well was told to whoever made the change. */
  settled(): Promise<void> {
    return this.#write.settled()
  }

  #change(change: Partial<Stored>): Promise<void> {
    this.#stored = { ...this.#stored, ...change }
    return this.#write.changed()
  }
}

/** The removed apps with this one at their end, and with the topics that an earlier installation of it had. */
function withGone(list: readonly GoneApp[], app: AppState): GoneApp[] {
  const { bundleId, environment, suffixed: own = [] } = app
  const earlier = list.find((one) => isSame(one, app))?.suffixed ?? []
  const suffixed = [...earlier.filter(({ suffix }) => own.every((one) => one.suffix !== suffix)), ...own]
  const gone = suffixed.length === 0 ? { bundleId, environment } : { bundleId, environment, suffixed }
  return [...list.filter((one) => !isSame(one, app)), gone].slice(-limits.goneAppsMax)
}

function without(apps: readonly AppState[], bundleId: string): AppState[] {
  return apps.filter((app) => app.bundleId !== bundleId)
}

function isSame(one: GoneApp, { bundleId, environment }: GoneApp): boolean {
  return one.bundleId === bundleId && one.environment === environment
}

function withoutToken({ deviceToken: _, suffixed, ...app }: AppState): AppState {
  return suffixed === undefined ? app : { ...app, suffixed: suffixed.map(({ suffix }) => ({ suffix })) }
}

function parse(text: string, file: string): Stored {
  let stored: unknown
  try {
    stored = JSON.parse(text)
  } catch (cause) {
    throw damaged(file, cause)
  }
  if (!isStored(stored)) throw damaged(file)
  const { baseTokens, apps, gone } = stored
  return { version: 1, baseTokens, apps, gone }
}

function isStored(value: unknown): value is Stored {
  const { version, baseTokens, apps, gone } = recordOf(value)
  return (
    version === 1 &&
    Object.values(recordOf(baseTokens)).every((token) => isHexText(token, 1)) &&
    Array.isArray(apps) &&
    apps.every(isAppState) &&
    Array.isArray(gone) &&
    gone.every(isGoneApp)
  )
}

function isAppState(value: unknown): value is AppState {
  const { installation, deviceToken, badge } = recordOf(value)
  return (
    isGoneApp(value) &&
    isHexText(installation, installationBytes) &&
    (deviceToken === undefined || isHexText(deviceToken, 1)) &&
    Number.isSafeInteger(badge)
  )
}

function isGoneApp(value: unknown): value is GoneApp {
  const { bundleId, environment, suffixed } = recordOf(value)
  return typeof bundleId === 'string' && isEnvironment(environment) && areSuffixedTopics(suffixed)
}

function isHexText(value: unknown, bytesMin: number): boolean {
  return typeof value === 'string' && value.length >= 2 * bytesMin && value.length % 2 === 0 && isHex(value)
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

function damaged(file: string, cause?: unknown): DeviceError {
  return new DeviceError(
    'STATE_UNREADABLE',
    `The device state ${file} is damaged.`,
    'Restore it from a copy, or start with an empty --state directory: the device then registers anew.',
    cause,
  )
}
