import { dirname } from 'node:path'
import { command, group } from '../../command.ts'
import { prepareFolder, readNamedFile, writeNamedFile } from '../../files.ts'
import { withPortal } from '../../portal-access.ts'

const add = command<{ data: string; name: string; udid?: string }>(
  'add',
  'Register a device, so that development and ad hoc profiles can name it.',
  'carillon portal device add --data ./data --name "Desk phone"',
  (options, output) =>
    withPortal(options.data, async (portal) => {
      const device = await portal.devices.add({
        name: options.name,
        ...(options.udid === undefined ? {} : { udid: options.udid }),
      })
      output.result(device, `Device ${device.deviceId} (${device.name})\n  udid ${device.udid}`)
    }),
)
  .requiredOption('--data <dir>', 'data directory of the system')
  .requiredOption('--name <name>', 'a name to show')
  .option('--udid <udid>', 'its own UDID; made here where absent')

const list = command<{ data: string }>(
  'list',
  'List the devices.',
  'carillon portal device list --data ./data',
  (options, output) =>
    withPortal(options.data, async (portal) => {
      for (const device of await portal.devices.list())
        output.result(device, `${device.deviceId}  ${device.udid}  ${device.name}  ${device.status}`)
    }),
).requiredOption('--data <dir>', 'data directory of the system')

const activate = command<{ data: string; device: string; csr: string; out: string }>(
  'activate',
  'Issue a device certificate for a signing request made with the device’s own key (RSA or P-256).',
  'carillon portal device activate --data ./data --device ABC123DEFG --csr device.csr --out device.pem',
  (options, output) =>
    withPortal(options.data, async (portal) => {
      const csrPem = (await readNamedFile('--csr', options.csr)).toString('utf8')
      await prepareFolder(dirname(options.out))
      // A device id has 10 characters, a UDID 25 or 40; the portal takes either.
      const which = options.device.length > 10 ? { udid: options.device } : { deviceId: options.device }
      const activated = await portal.devices.activate({ csrPem, ...which })
      const certFile = await writeNamedFile(
        options.out,
        `${activated.certPem.trimEnd()}\n${activated.chainPem}`,
      )
      output.result(
        { certFile, deviceId: activated.deviceId, udid: activated.udid, serial: activated.serial },
        `Device certificate for ${activated.deviceId}\n  ${certFile}`,
      )
    }),
)
  .requiredOption('--data <dir>', 'data directory of the system')
  .requiredOption('--device <id>', 'device id or UDID')
  .requiredOption('--csr <file>', 'certificate signing request, PEM')
  .requiredOption('--out <file>', 'where the certificate goes')

export const deviceCommand = group(
  'device',
  'devices of the team',
  'carillon portal device list --data ./data',
  [add, list, activate],
)
