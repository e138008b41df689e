export type { AppSettings, AuthKey, Authority, AuthorityChange } from './authority.ts'
export type { AdmissionOptions } from './courier/admission.ts'
export type { CourierCommons } from './courier/commons.ts'
export type { DrainOptions } from './courier/drivers/drain.ts'
export { openCourierCommons } from './courier/drivers/open-commons.ts'
export { openFilesMax } from './courier/drivers/open-files.ts'
export { keepAliveDefaults } from './courier/keep-alive.ts'
export type { KeepAliveBounds } from './courier/session-host.ts'
export { FaultError, type FaultErrorCode } from './faults/fault-error.ts'
export {
  type FaultPlanInput,
  type FaultRuleInput,
  faultPlan as faultPlanSchema,
} from './faults/fault-rule.ts'
export type { FaultControl, FaultStatus } from './faults/faults.ts'
export { type Fidelity, type FidelityOptions, fidelityDefaults, fidelityOf } from './fidelity.ts'
export { type BinaryOptions, binaryOptionsDefault } from './legacy/binary-options.ts'
export { limits as serviceLimits } from './limits.ts'
export { type PowerOptions, powerDefaults } from './power/power-options.ts'
export { startService } from './service.ts'
export { ServiceError, type ServiceErrorCode } from './service-error.ts'
export type { ListenAddress, PushService, ServiceOptions } from './service-options.ts'
export { type TraceOptions, traceDefaults } from './trace/drivers/open-trace.ts'
