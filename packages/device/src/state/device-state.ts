import { type Environment, environments } from '@carillon/wire'
import { DeviceError } from '../device-error.ts'
import { limits } from '../limits.ts'
import { type DeviceFiles, readIfThere, replaceFile } from './device-files.ts'

/** What the device keeps of one installed app. */
export interface AppState {
  readonly bundleId: string
  readonly environment: Environment
  /** 8 bytes in hex, drawn when the app was installed. */
  readonly installation: string
  /** Lower-case hex; absent until the courier issued it. */
  readonly deviceToken?: string
  /** The number on its icon. */
  readonly badge: number
}

/** An app that was removed while the push service may still think that it is here. */
export interface GoneApp {
  readonly bundleId: string
  readonly environment: Environment
}

interface Stored {
  readonly version: 1
  readonly udid: string
  readonly baseTokens: { readonly [E in Environment]?: string }
  readonly apps: readonly AppState[]
  readonly gone: readonly GoneApp[]
}

/** What must outlive the process: base tokens and installed apps. Every change is on disk when it resolves. */
export class DeviceState {
  readonly #files: DeviceFiles
  #stored: Stored
  /** Writes go one after another: the file always holds the last change. */
  #writing: Promise<void> = Promise.resolve()

  private constructor(files: DeviceFiles, stored: Stored) {
    this.#files = files
    this.#stored = stored
  }

  static async open(files: DeviceFiles): Promise<DeviceState> {
    const text = await readIfThere(files.state)
    const empty: Stored = { version: 1, udid: '', baseTokens: {}, apps: [], gone: [] }
    return new DeviceState(files, text === undefined ? empty : parse(text, files.state))
  }

  get udid(): string {
    return this.#stored.udid
  }

  baseToken(environment: Environment): Uint8Array | undefined {
    const hex = this.#stored.baseTokens[environment]
    return hex === undefined ? undefined : new Uint8Array(Buffer.from(hex, 'hex'))
  }

  apps(environment?: Environment): readonly AppState[] {
    return environment
      ? this.#stored.apps.filter((app) => app.environment === environment)
      : this.#stored.apps
  }

  app(bundleId: string): AppState | undefined {
    return this.#stored.apps.find((app) => app.bundleId === bundleId)
  }

  setUdid(udid: string): Promise<void> {
    return this.#change({ ...this.#stored, udid })
  }

  /** Another base token voids the tokens of all apps in its environment: they are asked for again. */
  setBaseToken(environment: Environment, token: Uint8Array): Promise<void> {
    const hex = Buffer.from(token).toString('hex')
    const known = this.#stored.baseTokens[environment]
    if (known === hex) return this.#writing
    const apps = this.#stored.apps.map((app) =>
      app.environment === environment && known ? withoutToken(app) : app,
    )
    return this.#change({
      ...this.#stored,
      apps,
      baseTokens: { ...this.#stored.baseTokens, [environment]: hex },
    })
  }

  /** Removed apps whose next notification is to be answered with "no recipient". */
  gone(environment: Environment): readonly GoneApp[] {
    return this.#stored.gone.filter((app) => app.environment === environment)
  }

  putApp(app: AppState): Promise<void> {
    const apps = [...this.#stored.apps.filter((other) => other.bundleId !== app.bundleId), app]
    return this.#change({ ...this.#stored, apps, gone: without(this.#stored.gone, app.bundleId) })
  }

  removeApp(bundleId: string): Promise<void> {
    const removed = this.app(bundleId)
    if (!removed) return this.#writing
    const { environment } = removed
    const gone = [...without(this.#stored.gone, bundleId), { bundleId, environment }].slice(
      -limits.goneAppsMax,
    )
    return this.#change({ ...this.#stored, apps: without(this.#stored.apps, bundleId), gone })
  }

  /** The push service was told. */
  forgetGone(bundleId: string): Promise<void> {
    return this.#change({ ...this.#stored, gone: without(this.#stored.gone, bundleId) })
  }

  #change(stored: Stored): Promise<void> {
    this.#stored = stored
    const written = this.#writing.then(() =>
      replaceFile(this.#files.state, `${JSON.stringify(this.#stored)}\n`),
    )
    // A failed write is told to whoever caused it; the next one starts anew.
    this.#writing = written.catch(() => undefined)
    return written
  }
}

function without<T extends { readonly bundleId: string }>(list: readonly T[], bundleId: string): T[] {
  return list.filter((entry) => entry.bundleId !== bundleId)
}

function withoutToken({ deviceToken: _, ...app }: AppState): AppState {
  return app
}

function parse(text: string, file: string): Stored {
  try {
    const stored = JSON.parse(text) as Stored
    const knowsApps =
      Array.isArray(stored.apps) && stored.apps.every((app) => environments.includes(app.environment))
    if (stored.version === 1 && knowsApps && Array.isArray(stored.gone)) return stored
  } catch (cause) {
    throw damaged(file, cause)
  }
  throw damaged(file)
}

function damaged(file: string, cause?: unknown): DeviceError {
  return new DeviceError(
    'STATE_UNREADABLE',
    `The device state ${file} is damaged.`,
    'Restore it from a copy, or start with an empty --state directory: the device then registers anew.',
    cause,
  )
}
