import { createSecureContext, type SecureContext } from 'node:tls'
import { ArgumentError, kindOf } from './errors.ts'

/** An HTTP proxy that tunnels by CONNECT (RFC 9110 §9.3.6). */
export interface ProxyOptions {
  /** `http://user:password@proxy.example:3128`; with `https://` the way to the proxy is TLS too. */
  readonly url: string | URL
  /** PEM of the authorities to trust for an `https://` proxy instead of those of Node. */
  readonly ca?: string | Uint8Array
}

/** Where a proxy is, and what to tell it. */
export interface ProxyTarget {
  readonly host: string
  readonly port: number
  /** Value of `proxy-authorization`, or '' for none. */
  readonly authorization: string
  /** For TLS to the proxy. */
  readonly secureContext: SecureContext | undefined
}

const protocols: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 }

/** Checks a proxy option. No message shows the URL: it may hold a password. */
export const resolveProxy = (given: string | URL | ProxyOptions): ProxyTarget => {
  const { url, ca } = given instanceof URL || typeof given === 'string' ? { url: given } : (given ?? {})
  if (typeof url !== 'string' && !(url instanceof URL)) {
    throw new ArgumentError('proxy', `give a URL such as http://proxy.example:3128, not ${kindOf(url)}`)
  }
  const parsed = URL.parse(String(url))
  const portDefault = parsed === null ? undefined : protocols[parsed.protocol]
  if (parsed === null || portDefault === undefined || parsed.hostname === '') {
    throw new ArgumentError('proxy', 'give a URL such as http://user:password@proxy.example:3128')
  }
  const { username, password } = parsed
  return {
    // RFC 3986 §3.2.2: the brackets of an IPv6 address belong to the URL.
    host: parsed.hostname.replace(/^\[|\]$/g, ''),
    port: parsed.port === '' ? portDefault : Number(parsed.port),
    authorization: username === '' && password === '' ? '' : basic(username, password),
    secureContext: parsed.protocol === 'https:' ? contextOf(ca) : undefined,
  }
}

/** RFC 7617 §2. */
const basic = (username: string, password: string): string => {
  try {
    const plain = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
    return `Basic ${Buffer.from(plain).toString('base64')}`
  } catch {
    // Without the cause: it would name the text that it could not decode.
    throw new ArgumentError('proxy', 'user or password has a % that is no percent-encoding; write it as %25')
  }
}

const contextOf = (ca: string | Uint8Array | undefined): SecureContext => {
  if (ca === undefined) return createSecureContext({ minVersion: 'TLSv1.2' })
  const pem = Buffer.from(ca).toString()
  if (!pem.includes('-----BEGIN ')) throw new ArgumentError('proxy.ca', 'not a certificate in PEM')
  return createSecureContext({ minVersion: 'TLSv1.2', ca: pem })
}
