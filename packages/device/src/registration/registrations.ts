import { bytesEqual, type Environment, hexBytes, hexText, topicHash } from '@carillon/wire'
import { closedError, DeviceError } from '../device-error.ts'
import type { Tell } from '../events.ts'
import { limits } from '../limits.ts'
import type { CourierSession, TokenRequest } from '../session/courier-session.ts'
import { type SuffixedTopic, topicHashesOf, topicsOf, withTopic } from '../state/app-topics.ts'
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
  /** Of the push type, '' for the app's own topic. */
  readonly suffix: string
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
   * @param suffix of the push type; '' for the app's own topic
   * @throws DeviceError `REGISTRATION_REFUSED`, `REGISTRATION_UNANSWERED` (ask again), `DEVICE_CLOSED`
   */
  register(bundleId: string, suffix = ''): Promise<string> {
    const app = this.#host.state.app(bundleId)
    if (this.#closed) return Promise.reject(closedError())
    if (!app) return Promise.reject(refused(bundleId, 'it is not installed'))
    const isNew = topicsOf(app).every((topic) => topic.suffix !== suffix)
    const kept = isNew ? this.#host.state.changeApp(bundleId, withTopic(app, suffix, undefined)) : undefined
    // Where it cannot be written, the token that is asked for now is kept with the next change.
    kept?.catch((error: unknown) => this.#host.failed(error))
    return new Promise((resolve, reject) => {
      const stopTimer = this.#host.after(limits.registerMsMax, () => {
        this.#waiting.delete(waiting)
        reject(unanswered(bundleId))
      })
      const waiting: Waiting = { bundleId, suffix, resolve, reject, stopTimer }
      this.#waiting.add(waiting)
      this.#ask(app, suffix)
      // From now on the device wants that topic, too.
      if (isNew) this.#filter(app.environment)
    })
  }

  /** Tells the courier which apps are here: first their tokens, then the filter, after which it delivers. */
  announce(environment: Environment): void {
    const { state } = this.#host
    const apps = state.apps(environment)
    for (const app of apps) {
      for (const topic of topicsOf(app)) {
        if (topic.deviceToken === undefined || this.#isAwaited(app, topic)) this.#ask(app, topic.suffix)
      }
    }
    this.#filter(environment)
  }

  #filter(environment: Environment): void {
    const { state } = this.#host
    // The topics of a removed app stay wanted: what comes for them is answered with "no recipient". Whether the
    // courier heard that answer is never confirmed, so the device does not stop to give it.
    const wanted = [...state.apps(environment), ...state.gone(environment)]
    this.#host.session(environment)?.setTopics(wanted.flatMap(topicHashesOf))
  }

  /** The courier answered. */
  arrived(environment: Environment, request: TokenRequest, token: Uint8Array | undefined): void {
    const installation = hexText(request.installation)
    const app = this.#host.state.apps(environment).find((one) => one.installation === installation)
    // Removed meanwhile, and perhaps installed anew: this token is for what was there before.
    if (!app) return
    const { bundleId } = app
    const asked = topicsOf(app).find((topic) =>
      bytesEqual(topicHash(bundleId + topic.suffix), request.topicHash),
    )
    if (!asked) return
    const { suffix } = asked
    const unknown = refused(bundleId + suffix, 'the push service knows no such app')
    if (!token) return this.#refuseTopic(bundleId, suffix, unknown)
    const deviceToken = hexText(token)
    const saved =
      asked.deviceToken === deviceToken
        ? this.#host.state.settled()
        : this.#host.state.changeApp(bundleId, withTopic(app, suffix, deviceToken))
    const tokenNow = (now: AppState) => topicsOf(now).find((topic) => topic.suffix === suffix)?.deviceToken
    // The app hears of its token when the device cannot forget it any more.
    saved.then(
      () => {
        const now = this.#host.state.app(bundleId)
        if (now?.installation !== installation || tokenNow(now) !== deviceToken) return
        const topic = suffix === '' ? {} : { topic: bundleId + suffix }
        this.#host.tell({ event: 'registered', bundleId, ...topic, deviceToken, environment })
        for (const waiting of this.#take(bundleId, suffix)) waiting.resolve(deviceToken)
      },
      (error: unknown) => {
        this.#refuseTopic(bundleId, suffix, error)
        this.#host.failed(error)
      },
    )
  }

  /** The app was removed. */
  removed(bundleId: string): void {
    this.refuse(bundleId, refused(bundleId, 'it was removed from the device'))
  }

  /** All that wait for an app. */
  refuse(bundleId: string, error: unknown): void {
    for (const waiting of this.#take(bundleId)) waiting.reject(error)
  }

  #refuseTopic(bundleId: string, suffix: string, error: unknown): void {
    for (const waiting of this.#take(bundleId, suffix)) waiting.reject(error)
  }

  close(): void {
    this.#closed = true
    for (const { bundleId } of [...this.#waiting]) this.refuse(bundleId, closedError())
  }

  #ask(app: AppState, suffix: string): void {
    const session = this.#host.session(app.environment)
    session?.requestToken(topicHash(app.bundleId + suffix), hexBytes(app.installation))
  }

  #isAwaited({ bundleId }: AppState, { suffix }: SuffixedTopic): boolean {
    return [...this.#waiting].some((waiting) => waiting.bundleId === bundleId && waiting.suffix === suffix)
  }

  #take(bundleId: string, suffix?: string): Waiting[] {
    const taken = [...this.#waiting].filter(
      (waiting) => waiting.bundleId === bundleId && (suffix === undefined || waiting.suffix === suffix),
    )
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
