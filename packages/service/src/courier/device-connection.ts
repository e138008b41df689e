/** The connection of a device as operators see it. */
export interface DeviceConnection {
  /** Row number of the device. */
  readonly device: number
  /** The identity in its certificate. */
  readonly deviceId: string
  readonly openedAtMs: number
  /** Lower-case hex. */
  readonly certificateSerial: string
  /** Sent over this connection. */
  readonly notifications: number
  /** It speaks the packed framing. */
  readonly isPacked: boolean
}
