import type { FeedbackClient, LegacyError } from '@carillon/apns'
import { CliError, usageError } from '../cli-error.ts'
import { command } from '../command.ts'
import { readNamedFile } from '../files.ts'
import { unusableCredentials } from '../provider-access.ts'
import { addressOf, type ServiceChoice, withServiceOptions } from '../service-address.ts'

interface FeedbackOptions extends ServiceChoice {
  cert: string
  certKey: string
}

export const feedbackCommand = withServiceOptions(
  command<FeedbackOptions>(
    'feedback',
    'Read the feedback service: the tokens of apps that were removed since it was read last, with the time.',
    'carillon feedback --data ./data --environment sandbox --cert aps_sandbox_com.example.app.pem --cert-key aps_sandbox_com.example.app.key.pem',
    async (options, output) => {
      const [cert, key] = await Promise.all([
        readNamedFile('--cert', options.cert),
        readNamedFile('--cert-key', options.certKey),
      ])
      const address = await addressOf(options, 'feedback')
      if (address.host === undefined)
        throw usageError(
          'No service is named, and Apple switched its own off in March 2021.',
          'Give --data or --connect.',
        )
      const { FeedbackClient, LegacyError } = await import('@carillon/apns')
      const { environment } = options
      let client: FeedbackClient
      try {
        client = new FeedbackClient({ auth: { type: 'certificate', cert, key }, environment, ...address })
      } catch (cause) {
        throw unusableCredentials(cause, options)
      }
      try {
        let isEmpty = true
        for await (const { token, at } of client) {
          isEmpty = false
          output.result({ token, at }, `${token} ${at.toISOString()}`)
        }
        if (isEmpty && !output.json) output.result({}, 'no tokens')
      } catch (cause) {
        if (!(cause instanceof LegacyError)) throw cause
        throw new CliError(cause.code, cause.message, fixes[cause.code], 1, cause)
      }
    },
  ),
)
  .requiredOption('--cert <file>', 'push certificate of the app (PEM)')
  .requiredOption('--cert-key <file>', 'its key (PEM)')

const fixes: Readonly<Record<LegacyError['code'], string>> = {
  CONNECT_FAILED: 'Check the address, and that the system runs.',
  CUT_OFF: 'Check that the certificate is of this system and environment, then try again: nothing is lost.',
  DAMAGED: 'Check the port: it must be that of a feedback service.',
}
