import { Command } from 'commander'
import { appCommand } from './app.ts'
import { caCommand } from './ca.ts'
import { certCommand } from './cert.ts'
import { deviceCommand } from './device.ts'
import { keyCommand } from './key.ts'
import { profileCommand } from './profile.ts'

export const portalCommand = new Command('portal')
  .description('App IDs, push certificates, auth keys, devices, provisioning profiles')
  .addCommand(appCommand)
  .addCommand(certCommand)
  .addCommand(keyCommand)
  .addCommand(deviceCommand)
  .addCommand(profileCommand)
  .addCommand(caCommand)
