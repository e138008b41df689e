export * from './client.ts'
export { type PortalServer, type PortalServerOptions, startPortalServer } from './http/server.ts'
export { openPortal, type PortalOptions } from './portal.ts'
