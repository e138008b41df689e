export * from './tuple.ts'
