import { dataDirectoryAt, type Endpoints, readEndpoints } from '@carillon/system/directory'
import { CliError } from './cli-error.ts'

/** The addresses of the system that runs on this data directory. */
export async function endpointsOf(dataDir: string): Promise<Endpoints> {
  const endpoints = await readEndpoints(dataDir)
  if (endpoints) return endpoints
  throw new CliError(
    'NOT_RUNNING',
    `No system runs on ${dataDirectoryAt(dataDir).path}.`,
    `Start it with: carillon up --data ${dataDir}`,
  )
}
