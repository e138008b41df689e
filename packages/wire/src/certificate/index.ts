export { type DerElement, derChildren, derOid, derTag, derText, derTime, expectDer, readDer } from './der.ts'
export { type DeviceCertificateFacts, readDeviceCertificate } from './device-certificate.ts'
export { type PushCertificateFacts, pushCertificateOid, readPushCertificate } from './push-certificate.ts'
export { nameOid, readCertificate, subjectText, type X509Facts } from './x509.ts'
