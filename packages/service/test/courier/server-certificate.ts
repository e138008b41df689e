import { nowMs } from '../store/store-fixture.ts'
import { DeviceAuthority } from './device-certificates.ts'

/** A certificate for a listener of a test, and its key. */
export async function makeServerCertificate(): Promise<{
  readonly certPem: string
  readonly keyPem: string
}> {
  const { pem, keyPem } = await (await DeviceAuthority.make(nowMs)).server()
  return { certPem: pem, keyPem }
}
