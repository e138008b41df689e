export type { TestClock } from './test-clock.ts'
export type { ShownNotification, TestDevice } from './test-device.ts'
export { startTestService, type TestKey, type TestService, type TestServiceOptions } from './test-service.ts'
export { TestingError, type TestingErrorCode } from './testing-error.ts'
