import type { Portal, App as PortalApp, PortalChange, AuthKey as PortalKey } from '@carillon/portal'
import type { AppSettings, AuthKey, Authority, AuthorityChange } from '@carillon/service'

/** The portal as the push service sees it, in the same process. */
export function authorityOf(portal: Portal): Authority {
  const { lookup, ca } = portal
  return {
    app(bundleId) {
      const app = lookup.app(bundleId)
      return app && settingsOf(app)
    },
    apps: () =>
      lookup
        .apps()
        .map(settingsOf)
        .filter((app) => app.pushEnabled),
    authKey(keyId) {
      const key = lookup.key(keyId)
      const publicKey = lookup.publicKeyOf(keyId)
      return key && publicKey && authKeyOf(key, publicKey)
    },
    certificateStatus(serial) {
      const status = lookup.certificateStatus(serial)
      // Expiry is judged by the gateway's own clock from the certificate itself.
      return status === 'active' || status === 'expired' ? 'good' : status
    },
    pushCaPem: [ca.chainPem],
    deviceCaPem: [ca.deviceCaPem, ca.rootPem],
    onChange: (listener) =>
      portal.onChange((change) => {
        const told = changeOf(change)
        if (told) listener(told)
      }),
  }
}

function settingsOf(app: PortalApp): AppSettings {
  return {
    bundleId: app.bundleId,
    teamId: app.teamId,
    pushEnabled: app.push,
    inboxMax: app.inboxMax,
    broadcastEnabled: app.broadcast,
  }
}

function authKeyOf(key: PortalKey, publicKey: AuthKey['publicKey']): AuthKey {
  return {
    keyId: key.keyId,
    teamId: key.teamId,
    publicKey,
    environment: key.environment,
    topics: key.scope === 'team' ? 'all' : key.topics,
    revoked: key.status === 'revoked',
    ...(key.relatedKeyId === undefined ? {} : { relatedKeyId: key.relatedKeyId }),
  }
}

function changeOf(change: PortalChange): AuthorityChange | undefined {
  switch (change.type) {
    case 'app':
      return { kind: 'app', bundleId: change.bundleId }
    case 'key':
      return { kind: 'authKey', keyId: change.keyId }
    case 'certificate':
      return { kind: 'certificate', serial: change.serial }
    case 'device':
      // Each certificate of a disabled device is told of as revoked.
      return undefined
  }
}
