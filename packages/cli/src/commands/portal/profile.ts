import { dirname } from 'node:path'
import { type ProfileKind, profileKinds } from '@carillon/portal/operations'
import { Option } from 'commander'
import { collect, command, group } from '../../command.ts'
import { prepareFolder, writeNamedFile } from '../../files.ts'
import { withPortal } from '../../portal-access.ts'

interface CreateOptions {
  data: string
  bundleId: string
  kind: ProfileKind
  device?: string[]
  out: string
}

const create = command<CreateOptions>(
  'create',
  'Make a provisioning profile (.mobileprovision). Development profiles mean sandbox, the others production.',
  'carillon portal profile create --data ./data --bundle-id com.example.app --kind development --device ABC123DEFG --out app.mobileprovision',
  (options, output) =>
    withPortal(options.data, async (portal) => {
      await prepareFolder(dirname(options.out))
      const profile = await portal.profiles.create({
        bundleId: options.bundleId,
        kind: options.kind,
        ...(options.device ? { deviceIds: options.device } : {}),
      })
      const file = await writeNamedFile(options.out, profile.der)
      const { der: _, ...rest } = profile
      output.result(
        { ...rest, file },
        `Profile ${profile.uuid} (${profile.kind}) for ${profile.bundleId}\n  ${file}`,
      )
    }),
)
  .requiredOption('--data <dir>', 'data directory of the system')
  .requiredOption('--bundle-id <id>', 'an App ID')
  .addOption(new Option('--kind <kind>', 'kind of profile').choices(profileKinds).makeOptionMandatory())
  .option('--device <id>', 'a device that may run the app; may be repeated', collect)
  .requiredOption('--out <file>', 'where the profile goes')

const list = command<{ data: string }>(
  'list',
  'List the profiles.',
  'carillon portal profile list --data ./data',
  (options, output) =>
    withPortal(options.data, async (portal) => {
      for (const profile of await portal.profiles.list())
        output.result(profile, `${profile.uuid}  ${profile.bundleId}  ${profile.kind}`)
    }),
).requiredOption('--data <dir>', 'data directory of the system')

export const profileCommand = group(
  'profile',
  'provisioning profiles',
  'carillon portal profile list --data ./data',
  [create, list],
)
