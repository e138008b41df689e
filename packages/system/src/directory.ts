/**
 * Where a system keeps its files and at which addresses it answers: all that a program needs to find one that
 * runs. Loads none of the parties.
 */
export { type DataDirectory, dataDirectoryAt, prepareDataDirectory } from './data-directory.ts'
export { type Address, type Endpoints, type EnvironmentEndpoints, readEndpoints } from './endpoints.ts'
export { SystemError, type SystemErrorCode } from './system-error.ts'
