import {
  type EndReason,
  ErrorCode,
  type HeaderList,
  ServerConnection,
  type ServerHandler,
} from '@carillon/http2'
import {
  checkDeviceTarget,
  checkDeviceToken,
  checkPayloadBytes,
  checkPushHeaders,
  collectHeaders,
  errorBody,
  isApnsId,
  normalDeviceToken,
  PushHeaders,
  payloadBytesMaxOf,
  type Reason,
  reasons,
  storedSecondsMax,
} from '@carillon/wire'
import type { AcceptOutcome, Notification } from '../delivery/delivery.ts'
import { limits } from '../limits.ts'
import type { TokenRecord } from '../registry/registry.ts'
import { acceptedHeaders, answerIndexing, rejectedHeaders } from './answer.ts'
import { CertificateCredentials, type ClientCertificate } from './certificate-credentials.ts'
import type { Credentials } from './credentials.ts'
import type { Gateway } from './gateway.ts'
import { TokenCredentials } from './token-credentials.ts'
import { checkTokenRecord } from './token-step.ts'
import { TopicStep } from './topic-step.ts'

/** One provider connection: takes whole requests from the engine and answers each with one row of the reason table. */
export class GatewayConnection implements ServerHandler {
  readonly http2: ServerConnection
  readonly #gateway: Gateway
  readonly #credentials: Credentials
  readonly #topicStep: TopicStep
  /** Filled anew for each request. */
  readonly #headers = new PushHeaders()

  constructor(gateway: Gateway, certificate: ClientCertificate | undefined) {
    this.#gateway = gateway
    this.#credentials =
      certificate === undefined
        ? new TokenCredentials(gateway, () => this.#onFirstToken())
        : new CertificateCredentials(gateway, certificate)
    this.#topicStep = new TopicStep(gateway, this.#credentials)
    const streams = certificate === undefined ? gateway.streamsBeforeToken : limits.streamsPerConnectionMax
    this.http2 = new ServerConnection(
      {
        settings: { maxConcurrentStreams: Math.max(streams, limits.streamsBeforeSettings) },
        limits: { requestBodyBytesMax: limits.requestBodyBytesMax },
        indexing: answerIndexing,
        debugData: goawayBody,
      },
      this,
    )
    // A lower limit holds once the client has acknowledged it, which leaves its first burst alone.
    this.http2.setMaxConcurrentStreams(streams)
  }

  onRequest(streamId: number, list: HeaderList, body: Uint8Array): void {
    this.#take(streamId, list, body)
  }

  onBodyTooLarge(streamId: number, list: HeaderList): void {
    this.#take(streamId, list, undefined)
  }

  /** Answers to cancelled streams are dropped by the engine; a notification that was accepted stays accepted. */
  onRequestReset(): void {}

  onEnd(reason: EndReason): void {
    if (reason.kind === 'internalError') {
      this.#gateway.onTrouble('A fault in the gateway ended a provider connection.', reason.cause)
    }
  }

  /** The steps of a device push, in order. `body` is undefined where it is larger than any payload may be. */
  #take(streamId: number, list: HeaderList, body: Uint8Array | undefined): void {
    const headers = this.#headers
    const nowMs = this.#gateway.now()
    collectHeaders(list, headers)
    const rejection =
      this.#checkOpen() ??
      checkDeviceTarget(headers) ??
      this.#credentials.authenticate(headers.authorization, nowMs) ??
      checkPushHeaders(headers) ??
      this.#topicStep.check(headers)
    if (rejection !== undefined) {
      this.#reject(streamId, headers.apnsId, rejection)
      return
    }
    // A text under which memory holds a token is one, so its form needs no check.
    const record = this.#gateway.registry.cachedToken(headers.token)
    if (record === undefined) this.#findToken(streamId, headers, body, nowMs)
    else this.#takeWithToken(streamId, headers, record, body, nowMs)
  }

  /** The steps that need the token's record. `body` may be a view of the receive buffer. */
  #takeWithToken(
    streamId: number,
    headers: PushHeaders,
    record: TokenRecord | undefined,
    body: Uint8Array | undefined,
    nowMs: number,
  ): void {
    const rejection = checkTokenRecord(record, headers.topic) ?? checkPayload(headers, body)
    if (rejection !== undefined) {
      this.#reject(streamId, headers.apnsId, rejection, record?.inactiveSinceMs)
      return
    }
    const apnsId = headers.apnsId === '' ? this.#gateway.apnsIds.next() : headers.apnsId
    const notification: Notification = {
      apnsId,
      token: record!,
      payload: ownCopy(body!),
      priority: headers.priority,
      expiration: headers.expiration < 0 ? Math.floor(nowMs / 1000) + storedSecondsMax : headers.expiration,
      collapseId: headers.collapseId,
      pushType: headers.pushType ?? '',
      receivedAtMs: nowMs,
    }
    this.#gateway.delivery.accept(notification, { connection: this, streamId, apnsId }, answer)
  }

  #findToken(streamId: number, headers: PushHeaders, body: Uint8Array | undefined, nowMs: number): void {
    const rejection = checkDeviceToken(headers.token)
    if (rejection !== undefined) {
      this.#reject(streamId, headers.apnsId, rejection)
      return
    }
    // By the time that the database answers, headers and body belong to other requests.
    const keptHeaders = Object.assign(new PushHeaders(), headers)
    const keptBody = body === undefined ? undefined : ownCopy(body)
    this.#gateway.registry.findToken(normalDeviceToken(headers.token), (error, record) => {
      if (error !== undefined) this.#reject(streamId, keptHeaders.apnsId, reasons.ServiceUnavailable)
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
      this.#gateway.onTrouble('A fault in the gateway ended a provider connection.', cause)
      this.http2.goaway(ErrorCode.INTERNAL_ERROR)
    }
  }

  #checkOpen(): Reason | undefined {
    return this.#gateway.isClosing ? reasons.Shutdown : undefined
  }

  #reject(streamId: number, sentId: string, reason: Reason, inactiveSinceMs?: number): void {
    const apnsId = isApnsId(sentId) ? sentId : this.#gateway.apnsIds.next()
    const body = errorBody(reason, reason === reasons.Unregistered ? inactiveSinceMs : undefined)
    this.http2.respond(streamId, rejectedHeaders(reason, apnsId), body)
  }

  answerOutcome(streamId: number, apnsId: string, outcome: AcceptOutcome): void {
    if (outcome === 'accepted') {
      const uniqueId = this.#gateway.environment === 'sandbox' ? this.#gateway.apnsIds.next() : ''
      this.http2.respond(streamId, acceptedHeaders(apnsId, uniqueId))
    } else {
      const reason = outcome === 'busy' ? reasons.ServiceUnavailable : reasons.InternalServerError
      this.#reject(streamId, apnsId, reason)
    }
  }

  #onFirstToken(): void {
    if (this.#gateway.streamsBeforeToken < limits.streamsPerConnectionMax) {
      this.http2.setMaxConcurrentStreams(limits.streamsPerConnectionMax)
    }
  }
}

/** Apple: "Sending notification requests to APNs": the debug data of a GOAWAY is JSON with a reason. */
function goawayBody(ended: EndReason): Uint8Array | undefined {
  return ended.kind === 'timeout' && ended.code === ErrorCode.NO_ERROR
    ? errorBody(reasons.IdleTimeout)
    : undefined
}

/** A request that delivery has, until it is answered. */
interface Answerable {
  readonly connection: GatewayConnection
  readonly streamId: number
  readonly apnsId: string
}

function answer(request: Answerable, outcome: AcceptOutcome): void {
  request.connection.answerOutcome(request.streamId, request.apnsId, outcome)
}

/**
 * What `onRequest` gives is a view of the receive buffer, and a Buffer, whose `slice` would be a view as well.
 * Copies share memory slabs, which is cheaper than an allocation for each.
 */
function ownCopy(body: Uint8Array): Uint8Array {
  return Buffer.from(body)
}

function checkPayload(headers: PushHeaders, body: Uint8Array | undefined): Reason | undefined {
  if (body === undefined) return reasons.PayloadTooLarge
  return checkPayloadBytes(body, payloadBytesMaxOf(headers.pushType))
}
