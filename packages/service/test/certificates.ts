import type { KeyObject } from 'node:crypto'
import { toDer } from '../../portal/src/pki/asn1.ts'
import { signCertificate } from '../../portal/src/pki/certificate.ts'
import { topicList } from '../../portal/src/pki/extensions.ts'
import {
  authorityLayout,
  type CertificateLayout,
  pushLayout,
  serverLayout,
} from '../../portal/src/pki/issuance.ts'
import { makeKey, privateKeyPem, publicKeyDer } from '../../portal/src/pki/key.ts'
import { encodeName } from '../../portal/src/pki/name.ts'
import { encodePem } from '../../portal/src/pki/pem.ts'
import { teamId } from './memory-authority.ts'

const context = { team: { teamId, name: 'Test Team' }, publicUrl: 'https://portal.example' }
const dayMs = 24 * 60 * 60 * 1000

export interface Issued {
  readonly certPem: string
  readonly keyPem: string
  /** Lower-case hex, as the authority is asked for it. */
  readonly serial: string
}

export interface IssueOptions {
  readonly notBefore?: number
  readonly notAfter?: number
  /** A topic list of its own, for a sandbox or production certificate. */
  readonly topics?: { topic: string; kinds: string[] }[]
}

/** A certificate authority of one level, laid out as the portal lays out its own. */
export class TestAuthority {
  readonly caPem: string
  readonly #key: KeyObject
  readonly #layout: CertificateLayout
  readonly #nowMs: number
  #issued = 0

  private constructor(key: KeyObject, nowMs: number) {
    this.#key = key
    this.#nowMs = nowMs
    this.#layout = authorityLayout('root', context)
    this.caPem = this.#sign(this.#layout, key, {}).certPem
  }

  static async make(nowMs: number): Promise<TestAuthority> {
    return new TestAuthority(await makeKey('p256'), nowMs)
  }

  async push(
    kind: 'sandbox' | 'production' | 'universal',
    bundleId: string,
    options: IssueOptions = {},
  ): Promise<Issued> {
    const layout = pushLayout(kind, bundleId, context)
    const listed = options.topics === undefined ? [] : [topicList(options.topics)]
    const extensions = [...layout.extensions, ...listed]
    return this.#sign({ ...layout, extensions }, await makeKey('p256'), options)
  }

  async server(options: IssueOptions = {}): Promise<Issued> {
    return this.#sign(serverLayout(['localhost'], 30, context), await makeKey('p256'), options)
  }

  #sign(layout: CertificateLayout, key: KeyObject, options: IssueOptions): Issued {
    this.#issued += 1
    const serial = new Uint8Array(8).fill(1)
    serial[7] = this.#issued
    const der = signCertificate(
      {
        serial,
        subject: layout.subject,
        publicKey: publicKeyDer(key),
        notBefore: options.notBefore ?? this.#nowMs - dayMs,
        notAfter: options.notAfter ?? this.#nowMs + 30 * dayMs,
        extensions: layout.extensions,
      },
      { name: toDer(encodeName(this.#layout.subject)), key: this.#key },
    )
    return {
      certPem: encodePem('CERTIFICATE', der),
      keyPem: privateKeyPem(key),
      serial: Buffer.from(serial).toString('hex'),
    }
  }
}
