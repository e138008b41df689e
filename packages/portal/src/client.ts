/** A portal that runs elsewhere, over HTTPS. Loads nothing of the portal itself. */
export { PortalError, type PortalErrorCode, portalErrorStatus } from './errors.ts'
export { activateDevice, openPortalClient, type PortalClientOptions } from './http/client.ts'
export * from './operations.ts'
