import { createHash } from 'node:crypto'
import * as asn1js from 'asn1js'
import {
  Attribute,
  AuthenticatedSafe,
  CertBag,
  Certificate,
  PFX,
  PKCS8ShroudedKeyBag,
  PrivateKeyInfo,
  SafeBag,
  SafeContents,
} from 'pkijs'
import { bufferOf } from './asn1.ts'

/** OIDs of PKCS#12 (RFC 7292 §4.2) and PKCS#9. */
const bagOid = {
  shroudedKey: '1.2.840.113549.1.12.10.1.2',
  certificate: '1.2.840.113549.1.12.10.1.3',
  friendlyName: '1.2.840.113549.1.9.20',
  localKeyId: '1.2.840.113549.1.9.21',
} as const

/** OpenSSL 3 uses 2048; the password is made by us with 128 random bits, so more would only cost time. */
const iterations = 2048

export interface Pkcs12Contents {
  readonly friendlyName: string
  /** PKCS#8, DER. */
  readonly privateKey: Uint8Array
  /** DER. */
  readonly certificate: Uint8Array
  /** The certificates behind it, DER. */
  readonly chain: readonly Uint8Array[]
  /** Printable ASCII: everything else is read differently by different programs. */
  readonly password: string
}

/**
 * A `.p12` file with AES-256-CBC, PBKDF2 with HMAC-SHA-256 and a SHA-256 MAC: what OpenSSL 3 writes and what
 * Node reads. (RC2 and 3DES of older files are refused by Node, RC2 by OpenSSL 3 as well.)
 */
export async function encodePkcs12(contents: Pkcs12Contents): Promise<Uint8Array> {
  const password = bufferOf(Buffer.from(contents.password, 'ascii'))
  const encryption = {
    password,
    contentEncryptionAlgorithm: { name: 'AES-CBC', length: 256 },
    hmacHashAlgorithm: 'SHA-256',
    iterationCount: iterations,
  }
  const attributes = bagAttributes(contents)
  const keyBag = new PKCS8ShroudedKeyBag({
    parsedValue: PrivateKeyInfo.fromBER(bufferOf(contents.privateKey)),
  })
  await keyBag.makeInternalValues(encryption as Parameters<typeof keyBag.makeInternalValues>[0])
  const keys = new SafeContents({
    safeBags: [new SafeBag({ bagId: bagOid.shroudedKey, bagValue: keyBag, bagAttributes: attributes })],
  })
  const certificates = new SafeContents({
    safeBags: [
      new SafeBag({
        bagId: bagOid.certificate,
        bagValue: certificateBag(contents.certificate),
        bagAttributes: attributes,
      }),
      ...contents.chain.map(
        (der) => new SafeBag({ bagId: bagOid.certificate, bagValue: certificateBag(der) }),
      ),
    ],
  })
  const authenticatedSafe = new AuthenticatedSafe({
    parsedValue: {
      safeContents: [
        { privacyMode: 0, value: keys }, // the key is encrypted inside its bag
        { privacyMode: 1, value: certificates },
      ],
    },
  })
  await authenticatedSafe.makeInternalValues({ safeContents: [{}, encryption] })
  const pfx = new PFX({ parsedValue: { integrityMode: 0, authenticatedSafe } })
  await pfx.makeInternalValues({
    password,
    iterations,
    pbkdf2HashAlgorithm: 'SHA-256',
    hmacHashAlgorithm: 'SHA-256',
  })
  return new Uint8Array(pfx.toSchema().toBER())
}

function certificateBag(der: Uint8Array): CertBag {
  return new CertBag({ parsedValue: Certificate.fromBER(bufferOf(der)) })
}

/** Key and certificate carry the same id, so that a reader knows which certificate belongs to the key. */
function bagAttributes({ friendlyName, certificate }: Pkcs12Contents): Attribute[] {
  const localKeyId = createHash('sha1').update(certificate).digest()
  return [
    new Attribute({ type: bagOid.friendlyName, values: [new asn1js.BmpString({ value: friendlyName })] }),
    new Attribute({
      type: bagOid.localKeyId,
      values: [new asn1js.OctetString({ valueHex: bufferOf(localKeyId) })],
    }),
  ]
}
