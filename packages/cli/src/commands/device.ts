import { type PushType, pushTypeTable } from '@carillon/wire'
import { Option } from 'commander'
import { collect, command, group } from '../command.ts'

/** The others come to the app's own topic. */
const suffixedPushTypes = pushTypeTable.filter(({ suffix }) => suffix !== '').map(({ value }) => value)

export interface RunOptions {
  data: string
  state: string
  profile: string
  app: string
  device?: string
  pushType: PushType[]
  channel?: string[]
  power?: Power
  screen?: Screen
  opens?: true
}

const powers = ['battery', 'plugged', 'low'] as const
type Power = (typeof powers)[number]
const screens = ['on', 'off'] as const
type Screen = (typeof screens)[number]

const run = command<RunOptions>(
  'run',
  'Run a device with one app on it, until SIGTERM: connects, registers, shows notifications.',
  'carillon device run --data ./data --state ./phone --profile app.mobileprovision --app com.example.app',
  async (options, output) => {
    const { runDevice } = await import('../run-device.ts')
    await runDevice(options, output)
  },
)
  .requiredOption('--data <dir>', 'data directory of the running system')
  .requiredOption('--state <dir>', 'directory of this device; made on first use')
  .requiredOption('--profile <file>', 'provisioning profile of the app')
  .requiredOption('--app <bundle-id>', 'the app')
  .addOption(
    new Option('--push-type <types...>', 'also take pushes of these types, whose topics have a suffix')
      .choices(suffixedPushTypes)
      .default([], 'none'),
  )
  .option('--device <id>', 'which registered device this is, where the profile names several')
  .option(
    '--channel <id>',
    'a broadcast channel that the app listens to; may be given several times',
    collect,
  )
  .addOption(
    new Option(
      '--power <how>',
      'how the device is fed, so that the push service holds back what can wait; without this and --screen it holds nothing',
    ).choices(powers),
  )
  .option('--opens', 'the user opens the app by every notification that is shown')
  .addOption(new Option('--screen <on|off>', 'whether somebody looks at it').choices(screens))

export const deviceCommand = group(
  'device',
  'devices and their apps',
  'carillon device run --data ./data --state ./phone --profile app.mobileprovision --app com.example.app',
  [run],
)
