import type { Environment, Priority, PushType } from '@carillon/wire'

/** Who an app is to the push service. */
export type Credentials =
  | {
      readonly type: 'token'
      readonly keyId: string
      readonly teamId: string
      readonly privateKeyPem: string
    }
  | { readonly type: 'certificate'; readonly certPem: string; readonly keyPem: string }

/** Another push service than Apple's. */
export interface ServiceAddress {
  readonly host: string
  readonly port: number
  /** PEM of the authority that signed the service's certificate. */
  readonly ca?: string | undefined
  /** The name in the service's certificate, where it is not `host`. */
  readonly serverName?: string | undefined
}

/** `local`: the push service that runs beside this provider, wherever it listens now. */
export type Connect = ServiceAddress | 'local'

/** How one app reaches the push service of one environment. */
export interface SenderOptions {
  readonly environment: Environment
  readonly credentials: Credentials
  /** Apple's service when left out. */
  readonly connect?: ServiceAddress | undefined
}

/** The same as it was registered: `local` is not an address yet. */
export interface RegisteredSender extends Omit<SenderOptions, 'connect'> {
  readonly connect?: Connect | undefined
}

/** One push for one device. */
export interface SenderPush {
  readonly deviceToken: string
  readonly topic: string
  readonly pushType: PushType
  readonly priority: Priority
  /** UNIX seconds; 0: one attempt, not stored. */
  readonly expiration: number
  readonly collapseId?: string | undefined
  readonly apnsId: string
  readonly payload: string
}

/** What became of it. A subset of what `PushClient.send` of `@carillon/apns` gives. */
export type SendResult =
  | { readonly ok: true; readonly apnsId: string }
  | {
      readonly ok: false
      /** 0: no answer of the service. */
      readonly status: number
      readonly reason: string
      /** With 410: since when the token is inactive, in milliseconds since 1970. */
      readonly timestamp?: number
      readonly retryable: boolean
      readonly tokenIsDead: boolean
    }

/** Sends the pushes of one app in one environment. Never rejects for what the service or the network does. */
export interface Sender {
  send(push: SenderPush): Promise<SendResult>
  close(options?: { drainMsMax?: number }): Promise<void>
}

/** Makes a sender; throws where the credentials are unusable. Connects with the first push. */
export type ConnectSender = (options: SenderOptions) => Sender

/** Makes the connection of an app as it was registered. */
export type ConnectRegistered = (registered: RegisteredSender) => Sender
