export type { AppSettings, AuthKey, Authority, AuthorityChange } from './authority.ts'
export { limits as serviceLimits } from './limits.ts'
export { type ListenAddress, type PushService, type ServiceOptions, startService } from './service.ts'
export { ServiceError, type ServiceErrorCode } from './service-error.ts'
