import { command, group } from '../../command.ts'
import { writeNamedFile } from '../../files.ts'
import { withPortal } from '../../portal-access.ts'

const show = command<{ data: string; out?: string }>(
  'show',
  'Show the certificate authority: team, fingerprint and the root certificate.',
  'carillon portal ca show --data ./data --out ca.pem',
  (options, output) =>
    withPortal(options.data, async (portal) => {
      const { team, ca } = portal
      const file = options.out ? { file: await writeNamedFile(options.out, ca.rootPem) } : {}
      output.result(
        {
          ...team,
          fingerprint: ca.fingerprint,
          rootPem: ca.rootPem,
          chainPem: ca.chainPem,
          deviceCaPem: ca.deviceCaPem,
          ...file,
        },
        [
          `Team ${team.teamId} (${team.name})`,
          `Root certificate, SHA-256 ${ca.fingerprint}`,
          options.out ? `  ${file.file}` : ca.rootPem.trimEnd(),
        ].join('\n'),
      )
    }),
)
  .requiredOption('--data <dir>', 'data directory of the system')
  .option('--out <file>', 'write the root certificate there instead of showing it')

export const caCommand = group('ca', 'the certificate authority', 'carillon portal ca show --data ./data', [
  show,
])
