import { group } from '../../command.ts'
import { appCommand } from './app.ts'
import { caCommand } from './ca.ts'
import { certCommand } from './cert.ts'
import { deviceCommand } from './device.ts'
import { keyCommand } from './key.ts'
import { profileCommand } from './profile.ts'

export const portalCommand = group(
  'portal',
  'App IDs, push certificates, auth keys, devices, provisioning profiles',
  'carillon portal app create --data ./data --bundle-id com.example.app --name "Example"',
  [appCommand, certCommand, keyCommand, deviceCommand, profileCommand, caCommand],
)
