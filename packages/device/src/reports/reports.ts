import { apnsIdBytes, courierReports, type Environment, hexBytes, type Presentation } from '@carillon/wire'
import { limits } from '../limits.ts'
import type { CourierSession } from '../session/courier-session.ts'
import type { DeviceState } from '../state/device-state.ts'

/** What reports need of their device. */
export interface ReportHost {
  readonly state: Pick<DeviceState, 'app'>
  /** The connected session, undefined while there is none. */
  session(environment: Environment): CourierSession | undefined
}

/** A notification that the push service knows by its apns-id. */
interface Reported {
  readonly apnsId: string
  readonly bundleId: string
}

interface Report {
  readonly environment: Environment
  readonly tracingId: Uint8Array
  readonly token: Uint8Array
  readonly report: number
}

/**
 * Tells the push service what became of notifications on this device: shown to the user, opened. Only couriers that
 * agreed to hear of it are told, nothing waits for it, and nothing is lost but the report where it does not arrive.
 */
export class Reports {
  readonly #host: ReportHost
  /** The tokens that the last notifications were addressed to: an app has one for each of its topics. */
  readonly #tokens = new Map<string, Uint8Array>()
  /** What happened while there was no connection, oldest first. */
  #waiting: Report[] = []

  constructor(host: ReportHost) {
    this.#host = host
  }

  /** Called after the notification was acknowledged. @param token that it was addressed to */
  presented(notification: Reported, shown: Presentation, token: Uint8Array | undefined): void {
    if (token !== undefined) this.#remember(notification.apnsId, token)
    if (shown.kind !== 'banner' && shown.kind !== 'list') return
    this.#report(notification, courierReports.shown)
  }

  opened(notification: Reported): void {
    this.#report(notification, courierReports.opened)
  }

  /** There is a connection: tells what has waited for it. */
  connected(environment: Environment): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const report of waiting) {
      if (report.environment === environment) this.#send(report)
      else this.#waiting.push(report)
    }
  }

  #remember(apnsId: string, token: Uint8Array): void {
    this.#tokens.set(apnsId, token)
    if (this.#tokens.size <= limits.reportedTokensMax) return
    const [oldest] = this.#tokens.keys()
    this.#tokens.delete(oldest!)
  }

  #report({ apnsId, bundleId }: Reported, report: number): void {
    const tracingId = apnsIdBytes(apnsId)
    const app = this.#host.state.app(bundleId)
    const sentTo = this.#tokens.get(apnsId)
    const token = sentTo ?? (app?.deviceToken === undefined ? undefined : hexBytes(app.deviceToken))
    // A foreign courier gave it no id, or the app was removed meanwhile.
    if (tracingId === undefined || app === undefined || token === undefined) return
    this.#send({ environment: app.environment, tracingId, token, report })
  }

  #send(report: Report): void {
    const session = this.#host.session(report.environment)
    if (session !== undefined) {
      session.report(report.tracingId, report.token, report.report)
      return
    }
    if (this.#waiting.length >= limits.reportsWaitingMax) this.#waiting.shift()
    this.#waiting.push(report)
  }
}
