import { createPublicKey } from 'node:crypto'
import type { Portal, App as PortalApp, AuthKey as PortalKey } from '@carillon/portal'
import type { AppSettings, AuthKey, Authority, AuthorityChange } from '@carillon/service'

/** The portal as the push service sees it, in the same process. */
export async function authorityOf(portal: Portal): Promise<Authority> {
  const keys = new Map<string, { of: PortalKey; key: AuthKey }>()
  const bundleIds = new Set((await portal.apps.list()).map((app) => app.bundleId))
  portal.onChange((change) => {
    if (change.type === 'app') bundleIds.add(change.bundleId)
  })

  return {
    app: (bundleId) => settingsOf(portal.lookup.app(bundleId)),
    apps: () =>
      [...bundleIds]
        .map((bundleId) => settingsOf(portal.lookup.app(bundleId)))
        .filter((app) => app?.pushEnabled) as AppSettings[],
    authKey(keyId) {
      const found = portal.lookup.key(keyId)
      if (!found) return undefined
      const known = keys.get(keyId)
      if (known?.of === found) return known.key
      const key = authKeyOf(found)
      keys.set(keyId, { of: found, key })
      return key
    },
    certificateStatus(serial) {
      const status = portal.lookup.certificateStatus(serial)
      // Expiry is judged by the gateway's own clock from the certificate itself.
      return status === 'active' || status === 'expired' ? 'good' : status
    },
    pushCaPem: [portal.ca.chainPem],
    deviceCaPem: [portal.ca.deviceCaPem, portal.ca.rootPem],
    onChange: (listener) =>
      portal.onChange((change) => {
        const told = changeOf(change)
        if (told) listener(told)
      }),
  }
}

function settingsOf(app: PortalApp | undefined): AppSettings | undefined {
  return app && { bundleId: app.bundleId, teamId: app.teamId, pushEnabled: app.push, inboxMax: app.inboxMax }
}

function authKeyOf(key: PortalKey): AuthKey {
  return {
    keyId: key.keyId,
    teamId: key.teamId,
    publicKey: createPublicKey(key.publicKeyPem),
    environment: key.environment,
    topics: key.scope === 'team' ? 'all' : key.topics,
    revoked: key.status === 'revoked',
  }
}

function changeOf(change: Parameters<Parameters<Portal['onChange']>[0]>[0]): AuthorityChange | undefined {
  switch (change.type) {
    case 'app':
      return { kind: 'app', bundleId: change.bundleId }
    case 'key':
      return { kind: 'authKey', keyId: change.keyId }
    case 'certificate':
      return { kind: 'certificate', serial: change.serial }
    default:
      return undefined
  }
}
