export type { AppSettings, Authority, AuthorityChange, AuthKey } from './authority.ts'
export type { ListenAddress, PushService, ServiceOptions } from './service.ts'
