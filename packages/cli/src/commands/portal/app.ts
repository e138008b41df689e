import type { App } from '@carillon/portal'
import { command, group, wholeNumber } from '../../command.ts'
import { withPortal } from '../../running-system.ts'

interface CreateOptions {
  data: string
  bundleId: string
  name: string
  push: boolean
  inbox?: number
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
      })
      output.result(app, `App ID ${app.appId} (${app.name})${app.push ? ', push on' : ''}`)
    }),
)
  .requiredOption('--data <dir>', 'data directory of the system')
  .requiredOption('--bundle-id <id>', 'for example com.example.app')
  .requiredOption('--name <name>', 'a name to show')
  .option('--no-push', 'without the push capability')
  .option('--inbox <n>', 'how many notifications wait for a device that is away (1, as Apple)', wholeNumber)

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
  return `${app.appId}  ${app.name}  push ${app.push ? 'on' : 'off'}  inbox ${app.inboxMax}`
}

export const appCommand = group('app', 'App IDs', 'carillon portal app list --data ./data', [create, list])
