import type { App } from '@carillon/portal/operations'
import { Option } from 'commander'
import { command, group, wholeNumber } from '../../command.ts'
import { withPortal } from '../../portal-access.ts'

interface CreateOptions {
  data: string
  bundleId: string
  name: string
  push: boolean
  inbox?: number
  broadcast?: 'on' | 'off'
}

const create = command<CreateOptions>(
  'create',
  'Register an App ID, with the push capability.',
  'carillon portal app create --data ./data --bundle-id com.example.app --name "Example"',
  (options, output) =>
    withPortal(options.data, async (portal) => {
      const app = await portal.apps.create({
        bundleId: options.bundleId,
        name: options.name,
        push: options.push,
        ...(options.inbox === undefined ? {} : { inboxMax: options.inbox }),
        ...switched('broadcast', options.broadcast),
      })
      output.result(app, `App ID ${app.appId} (${app.name})${app.push ? ', push on' : ''}`)
    }),
)
  .requiredOption('--data <dir>', 'data directory of the system')
  .requiredOption('--bundle-id <id>', 'for example com.example.app')
  .requiredOption('--name <name>', 'a name to show')
  .option('--no-push', 'without the push capability')
  .option('--inbox <n>', 'how many notifications wait for a device that is away (1, as Apple)', wholeNumber)
  .addOption(onOrOff('--broadcast', 'the broadcast capability (off)'))

interface UpdateOptions {
  data: string
  bundleId: string
  name?: string
  push?: 'on' | 'off'
  inbox?: number
  broadcast?: 'on' | 'off'
}

const update = command<UpdateOptions>(
  'update',
  'Change an App ID. Switching broadcast or push off deletes all broadcast channels of the app.',
  'carillon portal app update --data ./data --bundle-id com.example.app --broadcast on',
  (options, output) =>
    withPortal(options.data, async (portal) => {
      const app = await portal.apps.update(options.bundleId, {
        ...(options.name === undefined ? {} : { name: options.name }),
        ...switched('push', options.push),
        ...(options.inbox === undefined ? {} : { inboxMax: options.inbox }),
        ...switched('broadcast', options.broadcast),
      })
      output.result(app, lineOf(app))
    }),
)
  .requiredOption('--data <dir>', 'data directory of the system')
  .requiredOption('--bundle-id <id>', 'the App ID')
  .option('--name <name>', 'another name')
  .addOption(onOrOff('--push', 'the push capability'))
  .option('--inbox <n>', 'how many notifications wait for a device that is away', wholeNumber)
  .addOption(onOrOff('--broadcast', 'the broadcast capability'))

const list = command<{ data: string }>(
  'list',
  'List the App IDs.',
  'carillon portal app list --data ./data',
  (options, output) =>
    withPortal(options.data, async (portal) => {
      for (const app of await portal.apps.list()) output.result(app, lineOf(app))
    }),
).requiredOption('--data <dir>', 'data directory of the system')

function lineOf(app: App): string {
  return `${app.appId}  ${app.name}  push ${app.push ? 'on' : 'off'}  inbox ${app.inboxMax}  broadcast ${app.broadcast ? 'on' : 'off'}`
}

function onOrOff(flag: string, description: string): Option {
  return new Option(`${flag} <on|off>`, description).choices(['on', 'off'])
}

/** What is not said stays as it is. */
function switched<Name extends string>(name: Name, value: 'on' | 'off' | undefined) {
  return value === undefined ? {} : ({ [name]: value === 'on' } as { readonly [N in Name]: boolean })
}

export const appCommand = group('app', 'App IDs', 'carillon portal app list --data ./data', [
  create,
  list,
  update,
])
