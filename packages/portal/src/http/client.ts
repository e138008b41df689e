import type {
  App,
  AuthKey,
  Certificate,
  Device,
  DeviceActivation,
  DeviceActivationRequest,
  IssuedCertificate,
  IssuedKey,
  IssuedProfile,
  PortalOperations,
  Profile,
  ServerCertificate,
  Team,
} from '../operations.ts'
import { type PortalTransport, portalTransport } from './transport.ts'

export interface PortalClientOptions {
  /** `https://host:port` of a running portal. */
  readonly url: string
  /** The root certificate to trust, PEM: no other CA is accepted. */
  readonly caPem: string
  /** The administrator's key; for `activateDevice` the enrolment key will do. */
  readonly adminKey: string
}

/**
 * Connects to a running portal and gives the same operations as the portal over its directory. Rejects with
 * `UNREACHABLE` where nobody answers or where the server's certificate is not of this CA.
 */
export async function openPortalClient(options: PortalClientOptions): Promise<PortalOperations> {
  const transport = portalTransport(options)
  try {
    const { team, ...ca } = await transport.call<CaDescription>('GET', '/v1/ca')
    return { team, ...authorityClient(transport, ca), ...deviceClient(transport), close: transport.close }
  } catch (error) {
    await transport.close()
    throw error
  }
}

/** One activation, for a device that holds the enrolment key and nothing else. */
export async function activateDevice(
  options: Omit<PortalClientOptions, 'adminKey'> & { readonly enrolmentKey: string },
  request: DeviceActivationRequest,
): Promise<DeviceActivation> {
  const transport = portalTransport({ ...options, adminKey: options.enrolmentKey })
  try {
    return await transport.call('POST', '/v1/devices/activation', request)
  } finally {
    await transport.close()
  }
}

interface CaDescription {
  readonly team: Team
  readonly rootPem: string
  readonly chainPem: string
  readonly deviceCaPem: string
  readonly fingerprint: string
}

interface List<Item> {
  readonly data: Item[]
}

function authorityClient(
  { call, download }: PortalTransport,
  ca: Omit<CaDescription, 'team'>,
): Pick<PortalOperations, 'ca' | 'apps' | 'certificates' | 'keys'> {
  return {
    ca: {
      ...ca,
      issueServerCertificate: (request) => call<ServerCertificate>('POST', '/v1/serverCertificates', request),
      revocationList: (issuer) => download(`/crl/${issuer}.crl`),
    },
    apps: {
      create: (request) => call<App>('POST', '/v1/bundleIds', request),
      list: async () => (await call<List<App>>('GET', '/v1/bundleIds')).data,
      get: (bundleId) => call<App>('GET', item('/v1/bundleIds', bundleId)),
      update: (bundleId, change) => call<App>('PATCH', item('/v1/bundleIds', bundleId), change),
    },
    certificates: {
      async create(request) {
        type Wire = Omit<IssuedCertificate, 'cerDer' | 'p12'> & { cerDer: string; p12?: string }
        const { cerDer, p12, ...rest } = await call<Wire>('POST', '/v1/certificates', request)
        return { ...rest, cerDer: bytes(cerDer), ...(p12 === undefined ? {} : { p12: bytes(p12) }) }
      },
      list: async () => (await call<List<Certificate>>('GET', '/v1/certificates')).data,
      get: (serial) => call<Certificate>('GET', item('/v1/certificates', serial)),
      revoke: (serial) => call<Certificate>('DELETE', item('/v1/certificates', serial)),
    },
    keys: {
      create: (request) => call<IssuedKey>('POST', '/v1/apnsKeys', request),
      list: async () => (await call<List<AuthKey>>('GET', '/v1/apnsKeys')).data,
      get: (keyId) => call<AuthKey>('GET', item('/v1/apnsKeys', keyId)),
      revoke: (keyId) => call<AuthKey>('DELETE', item('/v1/apnsKeys', keyId)),
    },
  }
}

function deviceClient({ call }: PortalTransport): Pick<PortalOperations, 'devices' | 'profiles'> {
  type Wire = Omit<IssuedProfile, 'der'> & { der: string }
  const issued = ({ der, ...rest }: Wire): IssuedProfile => ({ ...rest, der: bytes(der) })
  return {
    devices: {
      add: (request) => call<Device>('POST', '/v1/devices', request),
      list: async () => (await call<List<Device>>('GET', '/v1/devices')).data,
      get: (device) => call<Device>('GET', item('/v1/devices', device)),
      activate: (request) => call<DeviceActivation>('POST', '/v1/devices/activation', request),
      disable: (device) => call<Device>('PATCH', item('/v1/devices', device), { status: 'disabled' }),
    },
    profiles: {
      create: async (request) => issued(await call<Wire>('POST', '/v1/profiles', request)),
      list: async () => (await call<List<Profile>>('GET', '/v1/profiles')).data,
      get: async (uuid) => issued(await call<Wire>('GET', item('/v1/profiles', uuid))),
    },
  }
}

function item(collection: string, id: string): string {
  return `${collection}/${encodeURIComponent(id)}`
}

function bytes(base64: string): Uint8Array {
  return new Uint8Array(Buffer.from(base64, 'base64'))
}
