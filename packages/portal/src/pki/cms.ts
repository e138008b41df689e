import { createHash, webcrypto } from 'node:crypto'
import * as asn1js from 'asn1js'
import {
  Attribute,
  Certificate,
  ContentInfo,
  EncapsulatedContentInfo,
  IssuerAndSerialNumber,
  SignedAndUnsignedAttributes,
  SignedData,
  SignerInfo,
} from 'pkijs'
import { bufferOf, time } from './asn1.ts'

/** OIDs of CMS (RFC 5652 §§4, 11). */
const cmsOid = {
  data: '1.2.840.113549.1.7.1',
  signedData: '1.2.840.113549.1.7.2',
  contentType: '1.2.840.113549.1.9.3',
  messageDigest: '1.2.840.113549.1.9.4',
  signingTime: '1.2.840.113549.1.9.5',
} as const

export interface CmsSigner {
  /** The signer's certificate, DER. */
  readonly certificate: Uint8Array
  /** PKCS#8, DER. P-256. */
  readonly privateKey: Uint8Array
  /** The certificates behind it, DER, up to the root. */
  readonly chain: readonly Uint8Array[]
}

/**
 * CMS SignedData (RFC 5652 §5) with the content inside, SHA-256, one signer named by issuer and serial number,
 * all certificates embedded: the layout of a `.mobileprovision` file. `signedAt` is in milliseconds since 1970.
 */
export async function signCms(content: Uint8Array, signer: CmsSigner, signedAt: number): Promise<Uint8Array> {
  const certificate = Certificate.fromBER(bufferOf(signer.certificate))
  const digest = createHash('sha256').update(content).digest()
  const signed = new SignedData({
    version: 1,
    encapContentInfo: new EncapsulatedContentInfo({
      eContentType: cmsOid.data,
      eContent: new asn1js.OctetString({ valueHex: bufferOf(content) }),
    }),
    signerInfos: [
      new SignerInfo({
        version: 1,
        sid: new IssuerAndSerialNumber({
          issuer: certificate.issuer,
          serialNumber: certificate.serialNumber,
        }),
        signedAttrs: new SignedAndUnsignedAttributes({
          type: 0,
          // In the order of their DER, as a SET OF has to be: 18, 1c and 2f bytes long.
          attributes: [
            attribute(cmsOid.contentType, new asn1js.ObjectIdentifier({ value: cmsOid.data })),
            attribute(cmsOid.signingTime, time(signedAt)), // RFC 5652 §11.3: as in certificates,
            attribute(cmsOid.messageDigest, new asn1js.OctetString({ valueHex: bufferOf(digest) })),
          ],
        }),
      }),
    ],
    certificates: [certificate, ...signer.chain.map((der) => Certificate.fromBER(bufferOf(der)))],
  })
  const key = await webcrypto.subtle.importKey(
    'pkcs8',
    signer.privateKey,
    { name: 'ECDSA', namedCurve: 'P-256' },
    false,
    ['sign'],
  )
  await signed.sign(key, 0, 'SHA-256')
  const info = new ContentInfo({ contentType: cmsOid.signedData, content: signed.toSchema(true) })
  return new Uint8Array(info.toSchema().toBER())
}

function attribute(type: string, value: asn1js.AsnType): Attribute {
  return new Attribute({ type, values: [value] })
}
