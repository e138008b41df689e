import type { KeyObject } from 'node:crypto'
import { toDer } from '../../../portal/src/pki/asn1.ts'
import { signCertificate } from '../../../portal/src/pki/certificate.ts'
import {
  authorityLayout,
  type CertificateLayout,
  deviceLayout,
  serverLayout,
} from '../../../portal/src/pki/issuance.ts'
import { type KeyType, makeKey, privateKeyPem, publicKeyDer } from '../../../portal/src/pki/key.ts'
import { encodeName } from '../../../portal/src/pki/name.ts'
import { encodePem } from '../../../portal/src/pki/pem.ts'
import { teamId } from '../memory-authority.ts'

const context = { team: { teamId, name: 'Test Team' }, publicUrl: 'https://portal.example' }
const dayMs = 24 * 60 * 60 * 1000

export interface Issued {
  readonly der: Uint8Array
  readonly pem: string
  readonly key: KeyObject
  readonly keyPem: string
  readonly serial: string
}

interface Issuer {
  readonly layout: CertificateLayout
  readonly key: KeyObject
}

interface Dates {
  readonly notBefore?: number
  readonly notAfter?: number
}

/** Root and device CA, laid out as the portal lays out its own, and what they sign. */
export class DeviceAuthority {
  readonly root: Issued
  readonly deviceCa: Issued
  readonly #nowMs: number
  readonly #root: Issuer
  readonly #deviceCa: Issuer
  static #issued = 0

  private constructor(rootKey: KeyObject, deviceCaKey: KeyObject, nowMs: number) {
    this.#nowMs = nowMs
    this.#root = { layout: authorityLayout('root', context), key: rootKey }
    this.#deviceCa = { layout: authorityLayout('device', context), key: deviceCaKey }
    this.root = this.#sign(this.#root.layout, rootKey, this.#root)
    this.deviceCa = this.#sign(this.#deviceCa.layout, deviceCaKey, this.#root)
  }

  static async make(nowMs: number): Promise<DeviceAuthority> {
    return new DeviceAuthority(await makeKey('p256'), await makeKey('p256'), nowMs)
  }

  /** What the service is given: device CA, then root. */
  get deviceCaPem(): readonly string[] {
    return [this.deviceCa.pem, this.root.pem]
  }

  async device(deviceId: string, type: KeyType = 'p256', dates: Dates = {}): Promise<Issued> {
    return this.#sign(
      deviceLayout(`udid-${deviceId}`, deviceId, context),
      await makeKey(type),
      this.#deviceCa,
      dates,
    )
  }

  /** Certificates of many devices that share a key: for load tests, where making keys takes the longest. */
  devicesOfKey(key: KeyObject, count: number): Uint8Array[] {
    return Array.from({ length: count }, (_, index) => {
      const deviceId = `bench-${index + 1}`
      return this.#sign(deviceLayout(`udid-${deviceId}`, deviceId, context), key, this.#deviceCa).der
    })
  }

  /** A device certificate that the root itself has signed. */
  async deviceOfRoot(deviceId: string): Promise<Issued> {
    return this.#sign(deviceLayout(`udid-${deviceId}`, deviceId, context), await makeKey('p256'), this.#root)
  }

  /** Signed by the device CA with the name of a device, and for servers. */
  async deviceAsServer(deviceId: string): Promise<Issued> {
    const { subject } = deviceLayout(`udid-${deviceId}`, deviceId, context)
    const { extensions } = serverLayout(['localhost'], 30, context)
    const layout = { ...deviceLayout(`udid-${deviceId}`, deviceId, context), subject, extensions }
    return this.#sign(layout, await makeKey('p256'), this.#deviceCa)
  }

  async server(): Promise<Issued> {
    return this.#sign(serverLayout(['localhost'], 30, context), await makeKey('p256'), this.#root)
  }

  #sign(layout: CertificateLayout, key: KeyObject, issuer: Issuer, dates: Dates = {}): Issued {
    const serial = new Uint8Array(8).fill(1)
    new DataView(serial.buffer).setUint32(4, ++DeviceAuthority.#issued)
    const der = signCertificate(
      {
        serial,
        subject: layout.subject,
        publicKey: publicKeyDer(key),
        notBefore: dates.notBefore ?? this.#nowMs - dayMs,
        notAfter: dates.notAfter ?? this.#nowMs + 30 * dayMs,
        extensions: layout.extensions,
      },
      { name: toDer(encodeName(issuer.layout.subject)), key: issuer.key },
    )
    return {
      der,
      pem: encodePem('CERTIFICATE', der),
      key,
      keyPem: privateKeyPem(key),
      serial: Buffer.from(serial).toString('hex'),
    }
  }
}
