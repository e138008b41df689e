export * from './error-packet.ts'
export * from './notification.ts'
export * from './notification-reader.ts'
export * from './status.ts'
