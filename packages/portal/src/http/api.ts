import { createHash, timingSafeEqual } from 'node:crypto'
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { PortalError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { PortalOperations } from '../operations.ts'
import { parseBody, schemas } from './schemas.ts'

export interface PortalApiOptions {
  readonly portal: PortalOperations
  /** Allows everything. */
  readonly adminKey: string
  /** Allows new devices to activate themselves, and nothing else. */
  readonly enrolmentKey?: string
  /** Told of errors that are nobody's request: the answer only says that something failed. */
  readonly onFailure: (error: unknown) => void
}

/**
 * The portal's HTTP API. Paths are those of App Store Connect where it has them; bodies are the plain objects of
 * `PortalOperations`, with bytes in base64; errors are `{ error: { code, message, fix } }`.
 */
export function portalApi(options: PortalApiOptions): Hono {
  const { portal } = options
  const api = new Hono()
  api.onError((error, context) => {
    const { code, message, fix, status } = toldError(error, options.onFailure)
    return context.json({ error: { code, message, fix } }, status as ContentfulStatusCode)
  })
  api.notFound((context) => {
    throw new PortalError(
      'NOT_FOUND',
      `There is no ${context.req.method} ${context.req.path}.`,
      'See the portal API.',
    )
  })
  publicRoutes(api, portal)
  activationRoute(api, options)
  api.use(async (context, next) => {
    requireKey(context.req.header('authorization'), [options.adminKey])
    await next()
  })
  api.use(limitedBody)
  authorityRoutes(api, portal)
  deviceRoutes(api, portal)
  return api
}

/** Behind the check of the key: who has none makes the portal hold no body. */
const limitedBody = bodyLimit({
  maxSize: limits.requestBytesMax,
  onError: () => {
    throw new PortalError(
      'REQUEST_TOO_LARGE',
      `The body is longer than ${limits.requestBytesMax} bytes.`,
      'Send less at once.',
    )
  },
})

function publicRoutes(api: Hono, { team, ca }: PortalOperations): void {
  const { rootPem, chainPem, deviceCaPem, fingerprint } = ca
  api.get('/v1/ca', (context) => context.json({ team, rootPem, chainPem, deviceCaPem, fingerprint }))
  for (const issuer of ['issuing', 'device'] as const) {
    api.get(`/crl/${issuer}.crl`, async (context) =>
      context.body(new Uint8Array(await ca.revocationList(issuer)), 200, {
        'content-type': 'application/pkix-crl',
      }),
    )
  }
}

/** Before the routes of the administrator, because a device may hold the enrolment key only. */
function activationRoute(api: Hono, { portal, adminKey, enrolmentKey }: PortalApiOptions): void {
  const keys = enrolmentKey === undefined ? [adminKey] : [adminKey, enrolmentKey]
  const path = '/v1/devices/activation'
  api.post(path, async (context, next) => {
    requireKey(context.req.header('authorization'), keys)
    await next()
  })
  api.post(path, limitedBody, async (context) => {
    const held = requireKey(context.req.header('authorization'), keys)
    const request = parseBody(schemas.activation, await context.req.text())
    if (held !== adminKey && request.new !== true) {
      // The enrolment key is on every device: with it one device must not become another.
      throw new PortalError(
        'UNAUTHORIZED',
        'The enrolment key activates new devices only.',
        'Ask for a new device, or let an administrator activate this one again.',
      )
    }
    return context.json(await portal.devices.activate(request), 201)
  })
}

function authorityRoutes(api: Hono, { ca, apps, certificates, keys }: PortalOperations): void {
  api.post('/v1/serverCertificates', async (context) => {
    const request = parseBody(schemas.serverCertificate, await context.req.text())
    return context.json(await ca.issueServerCertificate(request), 201)
  })

  api.get('/v1/bundleIds', async (context) => context.json({ data: await apps.list() }))
  api.post('/v1/bundleIds', async (context) =>
    context.json(await apps.create(parseBody(schemas.app, await context.req.text())), 201),
  )
  api.get('/v1/bundleIds/:id', async (context) => context.json(await apps.get(context.req.param('id'))))
  api.patch('/v1/bundleIds/:id', async (context) =>
    context.json(
      await apps.update(context.req.param('id'), parseBody(schemas.appChange, await context.req.text())),
    ),
  )

  api.get('/v1/certificates', async (context) => context.json({ data: await certificates.list() }))
  api.post('/v1/certificates', async (context) => {
    const { cerDer, p12, ...rest } = await certificates.create(
      parseBody(schemas.certificate, await context.req.text()),
    )
    const files = { cerDer: base64(cerDer), ...(p12 === undefined ? {} : { p12: base64(p12) }) }
    return context.json({ ...rest, ...files }, 201)
  })
  api.get('/v1/certificates/:serial', async (context) =>
    context.json(await certificates.get(context.req.param('serial'))),
  )
  api.delete('/v1/certificates/:serial', async (context) =>
    context.json(await certificates.revoke(context.req.param('serial'))),
  )

  api.get('/v1/apnsKeys', async (context) => context.json({ data: await keys.list() }))
  api.post('/v1/apnsKeys', async (context) =>
    context.json(await keys.create(parseBody(schemas.key, await context.req.text())), 201),
  )
  api.get('/v1/apnsKeys/:id', async (context) => context.json(await keys.get(context.req.param('id'))))
  api.delete('/v1/apnsKeys/:id', async (context) => context.json(await keys.revoke(context.req.param('id'))))
}

function deviceRoutes(api: Hono, { devices, profiles }: PortalOperations): void {
  api.get('/v1/devices', async (context) => context.json({ data: await devices.list() }))
  api.post('/v1/devices', async (context) =>
    context.json(await devices.add(parseBody(schemas.device, await context.req.text())), 201),
  )
  api.get('/v1/devices/:id', async (context) => context.json(await devices.get(context.req.param('id'))))
  api.patch('/v1/devices/:id', async (context) => {
    parseBody(schemas.deviceChange, await context.req.text())
    return context.json(await devices.disable(context.req.param('id')))
  })

  api.get('/v1/profiles', async (context) => context.json({ data: await profiles.list() }))
  api.post('/v1/profiles', async (context) => {
    const profile = await profiles.create(parseBody(schemas.profile, await context.req.text()))
    return context.json({ ...profile, der: base64(profile.der) }, 201)
  })
  api.get('/v1/profiles/:uuid', async (context) => {
    const profile = await profiles.get(context.req.param('uuid'))
    return context.json({ ...profile, der: base64(profile.der) })
  })
}

/** The key of the list that the request carries, compared in constant time; otherwise `UNAUTHORIZED`. */
function requireKey(authorization: string | undefined, keys: readonly string[]): string {
  const given = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1]
  if (given === undefined) {
    throw new PortalError(
      'UNAUTHORIZED',
      'The request carries no key.',
      'Send the header "Authorization: Bearer KEY" with the key from admin.key in the data directory.',
    )
  }
  const held = keys.filter((key) => timingSafeEqual(digest(key), digest(given)))[0]
  if (held !== undefined) return held
  throw new PortalError(
    'UNAUTHORIZED',
    'The key is not valid here.',
    'Read it again from the data directory.',
  )
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}

/** What a caller may know. The portal's own trouble is told to `onFailure`; a database names paths of the machine. */
function toldError(error: unknown, onFailure: PortalApiOptions['onFailure']): PortalError {
  if (error instanceof PortalError && error.status < 500) return error
  onFailure(error)
  if (error instanceof PortalError && error.code !== 'DATABASE') return error
  const code = error instanceof PortalError ? error.code : 'INTERNAL'
  return new PortalError(code, 'The portal failed at this request.', 'See the log of the portal.', error)
}
