import { type Environment, hexBytes, hexText, topicHash } from '@carillon/wire'
import { closedError, DeviceError } from '../device-error.ts'
import type { Tell } from '../events.ts'
import { limits } from '../limits.ts'
import type { CourierSession, TokenRequest } from '../session/courier-session.ts'
import type { AppState, DeviceState } from '../state/device-state.ts'

/** What registrations need of their device. */
export interface RegistrationHost {
  readonly state: DeviceState
  /** The session with an environment's courier, while it is connected. */
  session(environment: Environment): CourierSession | undefined
  /** Calls back once after so many milliseconds; returns how to prevent that. */
  after(ms: number, callback: () => void): () => void
  readonly tell: Tell
  failed(error: unknown): void
}

interface Waiting {
  readonly bundleId: string
  readonly resolve: (deviceToken: string) => void
  readonly reject: (error: unknown) => void
  readonly stopTimer: () => void
}

/** The device tokens of the installed apps: asks couriers for them, keeps them, tells those who wait. */
export class Registrations {
  readonly #host: RegistrationHost
  readonly #waiting = new Set<Waiting>()
  #closed = false

  constructor(host: RegistrationHost) {
    this.#host = host
  }

  /**
   * The token of an app, asked for at every call. While there is no connection it waits for one.
   *
   * @throws DeviceError `REGISTRATION_REFUSED`, `REGISTRATION_UNANSWERED` (ask again), `DEVICE_CLOSED`
   */
  register(bundleId: string): Promise<string> {
    const app = this.#host.state.app(bundleId)
    if (this.#closed) return Promise.reject(closedError())
    if (!app) return Promise.reject(refused(bundleId, 'it is not installed'))
    return new Promise((resolve, reject) => {
      const stopTimer = this.#host.after(limits.registerMsMax, () => {
        this.#waiting.delete(waiting)
        reject(unanswered(bundleId))
      })
      const waiting: Waiting = { bundleId, resolve, reject, stopTimer }
      this.#waiting.add(waiting)
      this.#ask(app)
    })
  }

  /** Tells the courier which apps are here: first their tokens, then the filter, after which it delivers. */
  announce(environment: Environment): void {
    const { state } = this.#host
    const apps = state.apps(environment)
    for (const app of apps) if (app.deviceToken === undefined || this.#isAwaited(app)) this.#ask(app)
    // The topic of a removed app stays wanted: what comes for it is answered with "no recipient". Whether the
    // courier heard that answer is never confirmed, so the device does not stop to give it.
    const wanted = [...apps, ...state.gone(environment)]
    this.#host.session(environment)?.setTopics(wanted.map((app) => topicHash(app.bundleId)))
  }

  /** The courier answered. */
  arrived(environment: Environment, request: TokenRequest, token: Uint8Array | undefined): void {
    const installation = hexText(request.installation)
    const app = this.#host.state.apps(environment).find((one) => one.installation === installation)
    // Removed meanwhile, and perhaps installed anew: this token is for what was there before.
    if (!app) return
    const { bundleId } = app
    if (!token) return this.refuse(bundleId, refused(bundleId, 'the push service knows no such app'))
    const deviceToken = hexText(token)
    const saved =
      app.deviceToken === deviceToken
        ? this.#host.state.settled()
        : this.#host.state.changeApp(bundleId, { deviceToken })
    // The app hears of its token when the device cannot forget it any more.
    saved.then(
      () => {
        const now = this.#host.state.app(bundleId)
        if (now?.installation !== installation || now.deviceToken !== deviceToken) return
        this.#host.tell({ event: 'registered', bundleId, deviceToken, environment })
        for (const waiting of this.#take(bundleId)) waiting.resolve(deviceToken)
      },
      (error: unknown) => {
        this.refuse(bundleId, error)
        this.#host.failed(error)
      },
    )
  }

  /** The app was removed. */
  removed(bundleId: string): void {
    this.refuse(bundleId, refused(bundleId, 'it was removed from the device'))
  }

  refuse(bundleId: string, error: unknown): void {
    for (const waiting of this.#take(bundleId)) waiting.reject(error)
  }

  close(): void {
    this.#closed = true
    for (const { bundleId } of [...this.#waiting]) this.refuse(bundleId, closedError())
  }

  #ask(app: AppState): void {
    const session = this.#host.session(app.environment)
    session?.requestToken(topicHash(app.bundleId), hexBytes(app.installation))
  }

  #isAwaited(app: AppState): boolean {
    return [...this.#waiting].some((waiting) => waiting.bundleId === app.bundleId)
  }

  #take(bundleId: string): Waiting[] {
    const taken = [...this.#waiting].filter((waiting) => waiting.bundleId === bundleId)
    for (const waiting of taken) {
      this.#waiting.delete(waiting)
      waiting.stopTimer()
    }
    return taken
  }
}

function refused(bundleId: string, why: string): DeviceError {
  return new DeviceError(
    'REGISTRATION_REFUSED',
    `The app ${bundleId} got no device token: ${why}.`,
    'Check that its App ID exists in the portal with push on.',
  )
}

function unanswered(bundleId: string): DeviceError {
  return new DeviceError(
    'REGISTRATION_UNANSWERED',
    `The app ${bundleId} has no device token yet: the push service did not answer within ${limits.registerMsMax / 1000} s.`,
    'Check that the push service runs; the device goes on trying to reach it.',
  )
}
