import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { certificate, privateKey } from './local-service.ts'
import { push } from './service.ts'

const program = `
  import { PushClient } from '@carillon/apns'
  const client = new PushClient(JSON.parse(process.env.OPTIONS))
  const result = await client.send(JSON.parse(process.env.PUSH))
  console.log(JSON.stringify(result.ok))`

/** Runs a program that sends one push and does not close its client; resolves when it ends, with what it printed. */
export const outputOfSender = async (
  port: number,
  more: { readonly proxy?: string } = {},
): Promise<string> => {
  const options = {
    auth: { type: 'token', keyId: 'KEYID00001', teamId: 'TEAM000001', privateKey },
    environment: 'sandbox',
    host: '127.0.0.1',
    port,
    ca: certificate.cert,
    ...more,
  }
  const env = { ...process.env, OPTIONS: JSON.stringify(options), PUSH: JSON.stringify(push()) }
  const cwd = new URL('../..', import.meta.url).pathname
  const args = ['--input-type=module', '-e', program]
  return (await promisify(execFile)(process.execPath, args, { env, cwd })).stdout.trim()
}
