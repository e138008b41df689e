import type { TLSSocket } from 'node:tls'
import {
  DEFAULT_LIMITS,
  type EndReason,
  ErrorCode,
  type HeaderList,
  type ServerHandler,
} from '@carillon/http2'
import {
  checkDeviceTarget,
  collectHeaders,
  errorBody,
  isApnsId,
  isChannelPath,
  PushHeaders,
  type Reason,
  reasons,
} from '@carillon/wire'
import type { AuthorityChange } from '../authority.ts'
import { channelRejectionHeaders } from '../channels/channel-answers.ts'
import type { ChannelClient } from '../channels/channel-requests.ts'
import { FaultyServerConnection, type FaultyTransport } from '../faults/faulty-server-connection.ts'
import { limits } from '../limits.ts'
import { acceptedHeaders, answerIndexing, rejectedHeaders } from './answer.ts'
import { CertificateCredentials } from './certificate-credentials.ts'
import type { ClientCertificate } from './client-certificate.ts'
import { Conduct } from './conduct.ts'
import type { TabledConnection } from './connection-table.ts'
import type { Credentials } from './credentials.ts'
import type { Gateway } from './gateway.ts'
import type { ProviderConnection } from './provider-connection.ts'
import { type PushAnswers, PushRequests } from './push-request.ts'
import { TokenCredentials } from './token-credentials.ts'

/** One provider connection: takes whole requests from the engine and hands each to the API that its path names. */
export class GatewayConnection implements ServerHandler, PushAnswers, ChannelClient, TabledConnection {
  readonly http2: FaultyServerConnection
  readonly credentials: Credentials
  readonly openedAtMs: number
  readonly #gateway: Gateway
  readonly #address: string
  #accepted = 0
  #rejected = 0
  readonly #servesDevices: boolean
  readonly #pushes: PushRequests
  /** Undefined while nothing is held against a client. */
  readonly #conduct: Conduct | undefined
  /** Filled anew for each request. */
  readonly #headers = new PushHeaders()

  /**
   * @param purpose `management`: a port on which device pushes are not served
   * @param socket what the connection runs over; without it there is no trouble on purpose
   */
  constructor(
    gateway: Gateway,
    certificate: ClientCertificate | undefined,
    purpose: 'everything' | 'management' = 'everything',
    socket?: TLSSocket,
  ) {
    const { fidelity } = gateway
    this.#gateway = gateway
    this.#address = socket?.remoteAddress ?? ''
    this.#servesDevices = purpose === 'everything'
    this.openedAtMs = gateway.now()
    this.credentials =
      certificate === undefined
        ? new TokenCredentials(
            gateway,
            () => this.#onProven(),
            () => this.http2.clockSkewMs,
          )
        : new CertificateCredentials(gateway, certificate)
    this.#pushes = new PushRequests(gateway, this.credentials, this)
    const streams = certificate === undefined ? fidelity.streamsBeforeToken : limits.streamsPerConnectionMax
    this.http2 = new FaultyServerConnection(
      {
        settings: { maxConcurrentStreams: Math.max(streams, limits.streamsBeforeSettings) },
        limits: {
          requestBodyBytesMax: limits.requestBodyBytesMax,
          requestMsMax: fidelity.requestSecondsMax * 1000,
          idleMsMax: Math.min(limits.unprovenIdleMsMax, fidelity.idleMinutesMax * 60_000),
          outputBytesMax: limits.unprovenOutputBytesMax,
          outputBytesPause: limits.unprovenOutputBytesPause,
        },
        budget: gateway.unprovenBudget,
        indexing: answerIndexing,
        debugData: (ended) => this.#goawayBody(ended),
      },
      this,
      this.#troubleOver(socket),
    )
    this.#conduct = Conduct.isWatched(fidelity) ? new Conduct(this.http2, fidelity, streams) : undefined
    // A lower limit holds once the client has acknowledged it, which leaves its first burst alone: most clients
    // take a new connection to allow 100.
    this.http2.setMaxConcurrentStreams(streams)
    gateway.connections.add(this)
    if (certificate !== undefined) this.#onCertificate()
    else gateway.connections.addUnproven(this, this.openedAtMs)
  }

  onRequest(streamId: number, list: HeaderList, body: Uint8Array): void {
    this.#dispatch(streamId, list, body)
  }

  onBodyTooLarge(streamId: number, list: HeaderList): void {
    this.#dispatch(streamId, list, undefined)
  }

  onRequestTimeout(streamId: number, list: HeaderList): void {
    const headers = this.#headers
    const { channels, now } = this.#gateway
    const reason = reasons.IdleTimeout
    collectHeaders(list, headers)
    if (checkDeviceTarget(headers) !== reasons.BadPath) this.#pushes.reject(streamId, headers, reason, now())
    else if (channels !== undefined && isChannelPath(headers.path)) {
      channels.refuse(this, streamId, headers, reason, now())
    } else this.#refuse(streamId, reason)
  }

  /** Answers to cancelled streams are dropped by the engine; a notification that was accepted stays accepted. */
  onRequestReset(): void {}

  onEnd(reason: EndReason): void {
    this.#gateway.connections.delete(this)
    if (reason.kind === 'internalError') this.#tellOfFault(reason.cause)
  }

  onAuthorityChange(change: AuthorityChange): void {
    if (this.credentials.restsOn(change)) this.#endIfOver()
  }

  dismiss(): void {
    this.http2.goaway(ErrorCode.NO_ERROR, this.#body(reasons.ServiceUnavailable))
  }

  describe(): ProviderConnection {
    const { identity } = this.credentials
    return {
      ...{ openedAtMs: this.openedAtMs, address: this.#address, identity },
      ...{ accepted: this.#accepted, rejected: this.#rejected },
    }
  }

  accept(streamId: number, apnsId: string, uniqueId: string): void {
    this.#answerAccepted(streamId, acceptedHeaders(apnsId, uniqueId))
  }

  reject(streamId: number, apnsId: string, reason: Reason, timestampMs?: number): void {
    const { retryAfterSeconds } = this.#gateway.fidelity
    const headers = rejectedHeaders(reason, apnsId, retryAfterSeconds)
    this.#answerRejected(streamId, headers, reason, timestampMs)
  }

  acceptChannelRequest(streamId: number, headers: HeaderList, body?: Uint8Array): void {
    this.#answerAccepted(streamId, headers, body)
  }

  rejectChannelRequest(streamId: number, requestId: string, reason: Reason): void {
    const { retryAfterSeconds } = this.#gateway.fidelity
    const headers = channelRejectionHeaders(reason, requestId, retryAfterSeconds)
    this.#answerRejected(streamId, headers, reason)
  }

  fail(cause: unknown): void {
    this.#tellOfFault(cause)
    this.http2.goaway(ErrorCode.INTERNAL_ERROR)
  }

  /** `body` is undefined where it is larger than any payload may be. */
  #dispatch(streamId: number, list: HeaderList, body: Uint8Array | undefined): void {
    if (this.#gateway.faults?.plan !== undefined && this.http2.meetsFault(streamId, list)) return
    const headers = this.#headers
    const nowMs = this.#gateway.now()
    collectHeaders(list, headers)
    const misdirected = checkDeviceTarget(headers)
    // Nearly every request is a device push: only what is none pays for another look at its path.
    if (misdirected === reasons.BadPath || !this.#servesDevices) this.#takeOther(streamId, body, nowMs)
    else this.#pushes.take(streamId, headers, misdirected, body, nowMs)
  }

  /** A request whose path is not that of a device push, or that has no business on this port. */
  #takeOther(streamId: number, body: Uint8Array | undefined, nowMs: number): void {
    const { channels, isClosing } = this.#gateway
    const headers = this.#headers
    if (channels !== undefined && isChannelPath(headers.path)) {
      channels.take(this, streamId, headers, body, nowMs, isClosing)
    } else this.#refuse(streamId, isClosing ? reasons.Shutdown : reasons.BadPath)
  }

  #answerAccepted(streamId: number, headers: HeaderList, body?: Uint8Array): void {
    this.#accepted++
    this.http2.respond(streamId, headers, body)
    this.#conduct?.onAccepted()
  }

  #answerRejected(streamId: number, headers: HeaderList, reason: Reason, timestampMs?: number): void {
    this.#rejected++
    this.http2.respond(streamId, headers, this.#body(reason, timestampMs))
    this.#conduct?.onRejected(reason)
    if (reason.status === 403) this.#endIfOver()
  }

  #refuse(streamId: number, reason: Reason): void {
    const { apnsId } = this.#headers
    this.reject(streamId, isApnsId(apnsId) ? apnsId : this.#gateway.apnsIds.next(), reason)
  }

  #troubleOver(socket: TLSSocket | undefined): FaultyTransport | undefined {
    const { faults, apnsIds } = this.#gateway
    if (faults === undefined || socket === undefined) return undefined
    const { defaultTopic } = this.credentials
    return { faults, socket, newApnsId: () => apnsIds.next(), defaultTopic }
  }

  #onCertificate(): void {
    const rejection = this.credentials.authenticate('', this.openedAtMs)
    if (rejection === undefined) {
      this.#onProven()
      return
    }
    this.#gateway.connections.addUnproven(this, this.openedAtMs)
    if (
      rejection === reasons.BadCertificateEnvironment &&
      this.#gateway.fidelity.wrongEnvironmentCertificate === 'goaway'
    ) {
      // Seen: right after the handshake, last stream 0. sideshow/apns2#93
      this.http2.goaway(ErrorCode.NO_ERROR, this.#body(rejection))
    }
  }

  /** The client has shown who it is. */
  #onProven(): void {
    const { connections, fidelity } = this.#gateway
    connections.proven(this)
    this.http2.leaveBudget()
    const { outputBytesMax, outputBytesPause } = DEFAULT_LIMITS
    this.http2.changeLimits({
      idleMsMax: fidelity.idleMinutesMax * 60_000,
      outputBytesMax,
      outputBytesPause,
    })
    const streams = limits.streamsPerConnectionMax
    if (this.#conduct === undefined) this.http2.setMaxConcurrentStreams(streams)
    else this.#conduct.allowStreams(streams)
  }

  /** What the connection was accepted for is no longer good: requests under way are answered, then it ends. */
  #endIfOver(): void {
    const reason = this.credentials.isOver(this.#gateway.now())
    if (reason !== undefined) this.http2.drain(this.#body(reason))
  }

  #body(reason: Reason, timestampMs?: number): Uint8Array {
    return errorBody(reason, timestampMs, this.#gateway.fidelity.reasonSpellings)
  }

  /** Apple: "Sending notification requests to APNs": the debug data of a GOAWAY is JSON with a reason. */
  #goawayBody(ended: EndReason): Uint8Array | undefined {
    return ended.kind === 'timeout' && ended.message === 'idle' ? this.#body(reasons.IdleTimeout) : undefined
  }

  #tellOfFault(cause: unknown): void {
    this.#gateway.onTrouble('A fault in the gateway ended a provider connection.', cause)
  }
}
