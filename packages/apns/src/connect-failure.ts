import type { EndReason } from '@carillon/http2'

/** Why a connection could not be made, for the results of the pushes that waited for it. */
export interface ConnectFailure {
  /** A sentence with the address, and the fix where one is known. */
  readonly message: string
  /** Trying again does not help: somebody must change certificates or options first. */
  readonly isDefinitive: boolean
}

/** Codes of Node's certificate verification, each with what to do. */
const untrusted = new Set([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

/** TLS alerts with which a service refuses a client certificate. */
const certificateAlert =
  /ALERT_(?:BAD_CERTIFICATE|CERTIFICATE_|UNSUPPORTED_CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED)/

/** Says in words why a connect failed. */
export const connectFailureOf = (reason: EndReason, host: string, port: number): ConnectFailure => {
  const code = codeOf(reason.cause)
  const at = `${host}:${port}`
  if (untrusted.has(code)) {
    return definitive(`The certificate of ${at} is of an unknown authority (${code}). Give its CA as \`ca\`.`)
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return definitive(`The certificate of ${at} is for another name. Give that name as \`serverName\`.`)
  }
  if (code === 'CERT_HAS_EXPIRED') {
    return definitive(
      `The certificate of ${at} has expired. Renew it there, or set the clock of this machine.`,
    )
  }
  if (certificateAlert.test(code)) {
    return definitive(
      `${at} refuses the client certificate (${code}): it is expired, revoked, or of another environment.`,
    )
  }
  if (code === 'PROXY_AUTHENTICATION') {
    return definitive(`${reason.cause instanceof Error ? reason.cause.message : code}.`)
  }
  const detail = reason.cause instanceof Error ? reason.cause.message : reason.message
  return { message: `No connection to ${at}: ${detail}`, isDefinitive: false }
}

const definitive = (message: string): ConnectFailure => ({ message, isDefinitive: true })

const codeOf = (cause: unknown): string => {
  if (typeof cause !== 'object' || cause === null || !('code' in cause)) return ''
  return typeof cause.code === 'string' ? cause.code : ''
}
