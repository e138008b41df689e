import {
  checkDeviceToken,
  checkPayloadBytes,
  checkPushHeaders,
  isApnsId,
  normalDeviceToken,
  PushHeaders,
  payloadBytesMaxOf,
  type Reason,
  reasons,
  storedSecondsMax,
} from '@carillon/wire'
import type { AcceptOutcome, Notification } from '../delivery/delivery.ts'
import { ownCopy } from '../own-copy.ts'
import type { TokenRecord } from '../registry/registry.ts'
import type { Credentials } from './credentials.ts'
import type { Gateway } from './gateway.ts'
import { checkTokenRecord, invalidSinceMs } from './token-step.ts'
import { TopicStep } from './topic-step.ts'

/** What a connection does with the outcome of a push. */
export interface PushAnswers {
  /** @param uniqueId '' in production */
  accept(streamId: number, apnsId: string, uniqueId: string): void
  /** @param timestampMs milliseconds since the epoch; with the 410 reasons only */
  reject(streamId: number, apnsId: string, reason: Reason, timestampMs?: number): void
  /** A fault of ours while nobody of the engine is there to catch it. */
  fail(cause: unknown): void
}

/** The device pushes of one connection, each in the same steps; the first that fails names the reason. */
export class PushRequests {
  readonly #gateway: Gateway
  readonly #credentials: Credentials
  readonly #answers: PushAnswers
  readonly #topicStep: TopicStep

  constructor(gateway: Gateway, credentials: Credentials, answers: PushAnswers) {
    this.#gateway = gateway
    this.#credentials = credentials
    this.#answers = answers
    this.#topicStep = new TopicStep(gateway, credentials)
  }

  /**
   * @param headers collected, with the path's token in them; they belong to the caller again after this call
   * @param misdirected what the path and the method are refused for
   * @param body undefined where it is larger than any payload may be; may be a view of the receive buffer
   */
  take(
    streamId: number,
    headers: PushHeaders,
    misdirected: Reason | undefined,
    body: Uint8Array | undefined,
    nowMs: number,
  ): void {
    const rejection =
      this.#checkOpen() ??
      misdirected ??
      this.#credentials.authenticate(headers.authorization, nowMs) ??
      checkPushHeaders(headers, this.#gateway.fidelity) ??
      this.#topicStep.check(headers)
    if (rejection !== undefined) {
      this.reject(streamId, headers, rejection, nowMs)
      return
    }
    // A text under which memory holds a token is one, so its form needs no check.
    const record = this.#gateway.registry.cachedToken(headers.token)
    if (record === undefined) this.#findToken(streamId, headers, body, nowMs)
    else this.#takeWithToken(streamId, headers, record, body, nowMs)
  }

  answerOutcome(streamId: number, notification: Notification, outcome: AcceptOutcome): void {
    const { apnsId, uniqueId } = notification
    if (outcome === 'accepted') {
      this.#answers.accept(streamId, apnsId, uniqueId)
      return
    }
    const reason = outcome === 'busy' ? reasons.ServiceUnavailable : reasons.InternalServerError
    const { token, pushType, priority } = notification
    this.#gateway.trace.rejected(
      { apnsId, token: token.token, topic: token.topic, pushType, priority, reason: reason.text },
      this.#gateway.now(),
    )
    this.#answers.reject(streamId, apnsId, reason)
  }

  /** The steps that need the token's record. */
  #takeWithToken(
    streamId: number,
    headers: PushHeaders,
    record: TokenRecord | undefined,
    body: Uint8Array | undefined,
    nowMs: number,
  ): void {
    const rejection =
      checkTokenRecord(this.#gateway, record, headers.topic, nowMs) ?? checkPayload(headers, body)
    if (rejection !== undefined) {
      const timestampMs = invalidSinceMs(this.#gateway, record, rejection)
      this.reject(streamId, headers, rejection, nowMs, timestampMs)
      return
    }
    const gateway = this.#gateway
    const notification: Notification = {
      apnsId: headers.apnsId === '' ? gateway.apnsIds.next() : headers.apnsId,
      uniqueId: gateway.environment === 'sandbox' ? gateway.apnsIds.next() : '',
      token: record!,
      payload: body!,
      priority: headers.priority,
      expiration: headers.expiration < 0 ? Math.floor(nowMs / 1000) + storedSecondsMax : headers.expiration,
      collapseId: headers.collapseId,
      pushType: headers.pushType ?? '',
      receivedAtMs: nowMs,
    }
    gateway.delivery.accept(notification, { requests: this, streamId, notification }, answer)
  }

  #findToken(streamId: number, headers: PushHeaders, body: Uint8Array | undefined, nowMs: number): void {
    const rejection = checkDeviceToken(headers.token)
    if (rejection !== undefined) {
      this.reject(streamId, headers, rejection, nowMs)
      return
    }
    // By the time that the database answers, headers and body belong to other requests.
    const keptHeaders = Object.assign(new PushHeaders(), headers)
    const keptBody = body === undefined ? undefined : ownCopy(body)
    this.#gateway.registry.findToken(normalDeviceToken(headers.token), (error, record) => {
      if (error !== undefined) this.reject(streamId, keptHeaders, reasons.ServiceUnavailable, nowMs)
      else this.#takeFound(streamId, keptHeaders, record, keptBody, nowMs)
    })
  }

  /** Nobody above this call would catch a fault, as the engine does for requests whose token is in memory. */
  #takeFound(
    streamId: number,
    headers: PushHeaders,
    record: TokenRecord | undefined,
    body: Uint8Array | undefined,
    nowMs: number,
  ): void {
    try {
      this.#takeWithToken(streamId, headers, record, body, nowMs)
    } catch (cause) {
      this.#answers.fail(cause)
    }
  }

  #checkOpen(): Reason | undefined {
    return this.#gateway.isClosing ? reasons.Shutdown : undefined
  }

  /** Answers a push that is not taken, and tells the trace. */
  reject(streamId: number, headers: PushHeaders, reason: Reason, nowMs: number, timestampMs?: number): void {
    const apnsId = isApnsId(headers.apnsId) ? headers.apnsId : this.#gateway.apnsIds.next()
    const { token, topic, pushTypeText: pushType, priority } = headers
    this.#gateway.trace.rejected({ apnsId, token, topic, pushType, priority, reason: reason.text }, nowMs)
    this.#answers.reject(streamId, apnsId, reason, timestampMs)
  }
}

/** A request that delivery has, until it is answered. */
interface Answerable {
  readonly requests: PushRequests
  readonly streamId: number
  readonly notification: Notification
}

function answer(request: Answerable, outcome: AcceptOutcome): void {
  request.requests.answerOutcome(request.streamId, request.notification, outcome)
}

function checkPayload(headers: PushHeaders, body: Uint8Array | undefined): Reason | undefined {
  if (body === undefined) return reasons.PayloadTooLarge
  return checkPayloadBytes(body, payloadBytesMaxOf(headers.pushType, headers.topic))
}
