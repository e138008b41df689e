import { createPrivateKey, sign } from 'node:crypto'
import { mkdtempSync, readFileSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AppNotification, type ClientApp, startDevice } from '@carillon/device'
import { activateDevice } from '@carillon/portal'
import { type EnvironmentEndpoints, type RunningSystem, startSystem } from '@carillon/system'

export const bundleId = 'com.example.app'

/** A system in this process with one app on one device, in production: a profile for all devices is of that. */
export interface LocalApp {
  readonly dir: string
  readonly system: RunningSystem
  /** Of production. */
  readonly endpoints: EnvironmentEndpoints
  readonly gateway: { readonly host: string; readonly port: number }
  readonly caFile: string
  readonly caPem: string
  readonly key: {
    readonly keyId: string
    readonly teamId: string
    readonly file: string
    readonly pem: string
  }
  readonly deviceToken: string
  /** The app on the device. */
  readonly app: ClientApp
  /** What the device has shown so far, in order. */
  readonly shown: readonly Shown[]
  /** Resolves with the first notification for which `test` holds. */
  waitFor(test: (shown: Shown) => boolean): Promise<Shown>
  /** Resolves when so many were shown. */
  waitForCount(count: number): Promise<void>
  /** A universal push certificate of the app and its key, PEM, in files of these names. */
  certificate(): Promise<{ readonly certFile: string; readonly keyFile: string }>
  /** A provider token signed with `key`. */
  jwt(encoding?: 'ieee-p1363' | 'der'): string
  close(): Promise<void>
}

export type Shown = AppNotification

/** The inbox keeps a thousand, so that nothing replaces what a busy device has not shown yet. */
export async function startLocalApp(): Promise<LocalApp> {
  const dir = mkdtempSync(join(tmpdir(), 'carillon-local-'))
  const system = await startSystem({ dataDir: join(dir, 'data'), ports: 'auto' })
  const { endpoints, portal } = system
  await portal.apps.create({ bundleId, name: 'Example', inboxMax: 1000, broadcast: true })
  const { keyId, teamId, privateKeyPem: pem } = await portal.keys.create({ name: 'Back end' })
  const file = join(dir, `AuthKey_${keyId}.p8`)
  await writeFile(file, pem)
  const { der: profile } = await portal.profiles.create({ bundleId, kind: 'inhouse' })
  const shown: Shown[] = []
  const waiting = new Set<() => void>()
  const caPem = readFileSync(endpoints.caFile, 'utf8')
  const { url } = endpoints.portal
  const enrolmentKey = readFileSync(endpoints.portal.enrolmentKeyFile, 'utf8').trim()
  const { sandbox, production } = endpoints.environments
  const device = await startDevice({
    stateDir: join(dir, 'phone'),
    caPem,
    couriers: { sandbox: sandbox.courier, production: production.courier },
    activate: ({ csrPem }) => activateDevice({ url, caPem, enrolmentKey }, { csrPem, new: true }),
    now: Date.now,
    random: (bytes) => crypto.getRandomValues(new Uint8Array(bytes)),
    onEvent: () => {},
  })
  const app = await device.install({ bundleId, profile })
  app.onNotification((notification) => {
    shown.push(notification)
    for (const look of waiting) look()
  })
  const deviceToken = await app.register()
  const until = <T>(find: () => T | undefined): Promise<T> =>
    new Promise((resolve) => {
      const look = () => {
        const found = find()
        if (found === undefined) return
        waiting.delete(look)
        resolve(found)
      }
      waiting.add(look)
      look()
    })
  return {
    dir,
    system,
    endpoints: production,
    gateway: production.http2,
    caFile: endpoints.caFile,
    caPem,
    key: { keyId, teamId, file, pem },
    deviceToken,
    app,
    shown,
    waitFor: (test) => until(() => shown.find(test)),
    waitForCount: (count) => until(() => (shown.length >= count ? true : undefined)).then(() => {}),
    async certificate() {
      const request = { bundleId, kind: 'universal', keyType: 'rsa' } as const
      const { certPem, chainPem, keyPem = '', serial } = await portal.certificates.create(request)
      const [certFile, keyFile] = [join(dir, `${serial}.pem`), join(dir, `${serial}.key`)]
      await Promise.all([writeFile(certFile, certPem + chainPem), writeFile(keyFile, keyPem)])
      return { certFile, keyFile }
    },
    jwt: (encoding) => providerToken({ keyId, teamId, pem }, encoding),
    async close() {
      await device.close()
      await system.close()
      await rm(dir, { recursive: true })
    },
  }
}

/** A provider token (RFC 7519) as any back end makes it; PKCS#8 in PEM. */
export function providerToken(
  { keyId, teamId, pem }: { keyId: string; teamId: string; pem: string },
  dsaEncoding: 'ieee-p1363' | 'der' = 'ieee-p1363',
): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const iat = Math.floor(Date.now() / 1000)
  const signed = `${part({ alg: 'ES256', kid: keyId })}.${part({ iss: teamId, iat })}`
  const key = createPrivateKey(pem)
  return `${signed}.${sign('sha256', Buffer.from(signed), { key, dsaEncoding }).toString('base64url')}`
}
