import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { request } from 'node:https'
import type { Environment } from '@carillon/wire'
import { CliError } from './cli-error.ts'
import { endpointsOf } from './running-system.ts'

/** One call of the admin API of an environment, of the system that runs on a data directory. Gives the JSON of the answer. */
export async function adminCall<Answer>(
  dataDir: string,
  environment: Environment,
  method: string,
  path: string,
  body?: unknown,
): Promise<Answer> {
  const { adminKeyFile, caFile, environments } = await endpointsOf(dataDir)
  const { url } = environments[environment].admin
  if (url === null)
    throw new CliError(
      'NO_ADMIN_API',
      `The ${environment} service on ${dataDir} has no admin API.`,
      'Start it with a port for the admin API.',
    )
  const [ca, key] = await Promise.all([readFile(caFile, 'utf8'), readFile(adminKeyFile, 'utf8')])
  const sent = request(new URL(path, url), {
    method,
    ca,
    headers: { authorization: `Bearer ${key.trim()}`, 'content-type': 'application/json' },
  })
  sent.end(body === undefined ? undefined : JSON.stringify(body))
  let text = ''
  let status = 0
  try {
    const [answer] = await once(sent, 'response')
    status = answer.statusCode
    for await (const chunk of answer.setEncoding('utf8')) text += chunk
  } catch (cause) {
    throw new CliError(
      'UNREACHABLE',
      `The admin API at ${url} does not answer.`,
      `Is the system still running? Start it with: carillon up --data ${dataDir}`,
      1,
      cause,
    )
  }
  if (status >= 300) throw refusalOf(status, text)
  return (text === '' ? undefined : JSON.parse(text)) as Answer
}

/** The API explains itself: its sentence is ours. RFC 9457 */
function refusalOf(status: number, text: string): CliError {
  try {
    const { code, detail } = JSON.parse(text)
    return new CliError(String(code), String(detail), '')
  } catch (cause) {
    return new CliError('UNREACHABLE', `The admin API answered ${status}.`, '', 1, cause)
  }
}
