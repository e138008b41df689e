import { readFileSync } from 'node:fs'
import { group } from './command.ts'
import { channelCommand } from './commands/channel.ts'
import { configCommand } from './commands/config.ts'
import { deviceCommand } from './commands/device.ts'
import { faultsCommand } from './commands/faults.ts'
import { feedbackCommand } from './commands/feedback.ts'
import { portalCommand } from './commands/portal/portal.ts'
import { pushCommand } from './commands/push.ts'
import { startCommand } from './commands/start.ts'
import { topCommand } from './commands/top.ts'
import { traceCommand } from './commands/trace.ts'
import { upCommand } from './commands/up.ts'

// package.json stands beside the published files, and above the sources.
const manifest = new URL(
  import.meta.url.endsWith('.ts') ? '../package.json' : './package.json',
  import.meta.url,
)
const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }

/** The `carillon` command and all its sub-commands. */
export const program = group(
  'carillon',
  'The whole of remote push on your own machine: portal, push service, provider, device, app.',
  'carillon up --data ./data',
  [
    startCommand,
    upCommand,
    configCommand,
    portalCommand,
    deviceCommand,
    pushCommand,
    channelCommand,
    feedbackCommand,
    faultsCommand,
    traceCommand,
    topCommand,
  ],
).version(version)
