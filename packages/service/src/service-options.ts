import type { Authority } from './authority.ts'
import type { AdmissionOptions } from './courier/admission.ts'
import type { CourierCommons } from './courier/commons.ts'
import type { DrainOptions } from './courier/drivers/drain.ts'
import type { KeepAliveBounds } from './courier/session-host.ts'
import type { FaultPlanInput } from './faults/fault-rule.ts'
import type { FaultControl } from './faults/faults.ts'
import type { FidelityOptions } from './fidelity.ts'
import type { BinaryOptions } from './legacy/binary-options.ts'
import type { PowerOptions } from './power/power-options.ts'
import type { TraceOptions } from './trace/drivers/open-trace.ts'

export interface ListenAddress {
  readonly host: string
  readonly port: number
}

export interface ServiceOptions {
  readonly environment: 'sandbox' | 'production'
  /** Directory of this environment's files; made (0700) where it is absent. */
  readonly dataDir: string
  readonly authority: Authority
  /** Server certificate (with chain) and key of this environment's listeners, PEM. */
  readonly tls: { readonly certPem: string; readonly keyPem: string }
  readonly host: string
  /** 0: chosen by the system. */
  readonly ports: {
    readonly http2: number
    readonly courier: number
    /** The courier for browsers; not opened where absent. */
    readonly courierWebSocket?: number
    /** The original protocol, and its feedback service; neither is opened where absent. */
    readonly binary?: number
    readonly feedback?: number
    /** The admin API; not opened where absent. */
    readonly admin?: number
  }
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly random: (bytes: number) => Uint8Array
  /** Told what could not be done while running, in one sentence. A process warning where absent. */
  readonly onTrouble?: (sentence: string, cause: unknown) => void
  /** Switches of the provider API; what is absent has its default. */
  readonly fidelity?: FidelityOptions
  /** What is kept of the way of each notification, and for how long. */
  readonly trace?: TraceOptions
  /** The bearer key of the admin API; needed where `ports.admin` is given. */
  readonly admin?: { readonly key: string }
  /** How the original protocol is understood where it leaves room; see `BinaryOptions`. */
  readonly binary?: Partial<BinaryOptions>
  /** Trouble on purpose, in force from the start. */
  readonly faults?: FaultPlanInput
  /** A server certificate that is over, and its key, PEM: what faults may show to clients. */
  readonly expiredTls?: { readonly certPem: string; readonly keyPem: string }
  /** How fast devices are let in, where `commons` is absent. */
  readonly admission?: AdmissionOptions
  /** What the couriers of one process share, see `courierCommons`; this courier's own where absent. */
  readonly commons?: CourierCommons
  /** Bounds of the time between two keep-alives that devices are told; 60, 300 and 1800 s where absent. */
  readonly keepAlive?: Partial<KeepAliveBounds>
  /**
   * How long what can wait is held for devices that report their power, see `PowerOptions`; `ignore` asks no device
   * for it and delivers everything at once.
   */
  readonly power?: Partial<PowerOptions> | 'ignore'
  /** Whether devices may sign with RSA and SHA-1, as foreign clients do; true where absent. */
  readonly acceptsRsaSha1?: boolean
}

/** One running environment of the push service. */
export interface PushService {
  readonly environment: 'sandbox' | 'production'
  readonly http2: ListenAddress
  readonly courier: ListenAddress
  /** The courier for browsers: WebSocket over TLS. */
  readonly courierWebSocket?: ListenAddress
  readonly binary?: ListenAddress
  readonly feedback?: ListenAddress
  /** HTTPS. */
  readonly admin?: ListenAddress
  /** Trouble on purpose. */
  readonly faults: FaultControl
  /** Sends all devices to another courier, or away to come back later; see `Courier.drain`. */
  drainDevices(options: DrainOptions): Promise<void>
  /** Drains: GOAWAY to providers, devices are told when to come back, last commit, files closed. May be called again. */
  close(): Promise<void>
}
