import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createSigningRequest } from '@carillon/device'
import { PortalError, type PortalOperations } from '@carillon/portal'
import { shownPath, writeNamedFile } from '../files.ts'
import { openPortalOf } from '../portal-access.ts'
import { bundleId, type StoryContext } from './context.ts'
import type { Step } from './step.ts'
import { readJson } from './story-files.ts'

/** What the team does once, at the portal, before anything runs. A second run finds its work done. */
export const portalSteps: readonly Step<StoryContext>[] = [
  {
    party: 'portal',
    title: 'certificate authority: root, issuing CA, device CA',
    async run(context) {
      context.portal = await openPortalOf(context.dataDir)
      const { team, ca } = context.portal
      return { detail: `team ${team.teamId}, root SHA-256 ${ca.fingerprint.slice(0, 23)}…` }
    },
  },
  {
    party: 'portal',
    title: 'App ID with the push capability',
    async run({ portal }) {
      const app = await existingOr(
        () => portal.apps.create({ bundleId, name: 'Example' }),
        () => portal.apps.get(bundleId),
      )
      return { detail: app.appId }
    },
  },
  {
    party: 'provider',
    title: 'private key and certificate signing request',
    async run({ files }) {
      if (existsSync(files.certificateRequest)) return { detail: shownPath(files.certificateRequest) }
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      await writeNamedFile(files.certificateKey, privateKey.export({ type: 'pkcs8', format: 'pem' }), true)
      const request = await createSigningRequest(privateKey, 'Example back end')
      return { detail: shownPath(await writeNamedFile(files.certificateRequest, request)) }
    },
  },
  {
    party: 'portal',
    title: 'push certificate for that request, good in both environments',
    run: ({ portal, files }) => pushCertificate(portal, files),
  },
  {
    party: 'portal',
    title: 'auth key (.p8) for provider tokens',
    async run(context) {
      const { portal, files } = context
      const made = readJson<StoryContext['key']>(files.key)
      context.key = made ?? (await portal.keys.create({ name: 'Example back end' }))
      const { keyId, teamId, privateKeyPem } = context.key
      createPrivateKey(privateKeyPem)
      const file = await writeNamedFile(
        files.key.replace('auth-key.json', `AuthKey_${keyId}.p8`),
        privateKeyPem,
        true,
      )
      await writeNamedFile(files.key, JSON.stringify({ keyId, teamId, privateKeyPem }), true)
      return { detail: `key ${keyId} of team ${teamId}\n${shownPath(file)}` }
    },
  },
  {
    party: 'portal',
    title: 'device registered, development profile made for it',
    async run({ portal, files }) {
      const known = readJson<{ deviceId: string; udid: string }>(files.device)
      const device = known ?? (await portal.devices.add({ name: 'Example phone' }))
      await writeNamedFile(files.device, JSON.stringify(device))
      const profile = await portal.profiles.create({
        bundleId,
        kind: 'development',
        deviceIds: [device.deviceId],
      })
      const file = await writeNamedFile(files.profile, profile.der)
      return {
        detail: `device ${device.deviceId}, udid ${device.udid}\nprofile ${profile.uuid}\n${shownPath(file)}`,
      }
    },
  },
]

async function pushCertificate(portal: PortalOperations, files: StoryContext['files']) {
  if (!existsSync(files.certificate)) {
    const csrPem = await readFile(files.certificateRequest, 'utf8')
    const issued = await portal.certificates.create({ bundleId, kind: 'universal', csrPem })
    await writeNamedFile(files.certificate, `${issued.certPem.trimEnd()}\n${issued.chainPem}`)
  }
  const newest = (await portal.certificates.list()).find((certificate) => certificate.bundleId === bundleId)
  if (!newest) throw new Error('the portal does not know the certificate that it issued')
  return {
    detail: `serial ${newest.serial}, valid until ${new Date(newest.notAfter).toISOString().slice(0, 10)}\n${shownPath(files.certificate)}`,
  }
}

/** A second run of the story finds the App ID there. */
async function existingOr<T>(create: () => Promise<T>, get: () => Promise<T>): Promise<T> {
  try {
    return await create()
  } catch (error) {
    if (error instanceof PortalError && error.code === 'APP_EXISTS') return get()
    throw error
  }
}
