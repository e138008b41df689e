import type { Row } from '@carillon/database'
import { readDeviceCertificate } from '@carillon/wire'
import { issue } from '../authority/authority.ts'
import { PortalError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Device, DeviceActivation, DeviceActivationRequest, DeviceOperations } from '../operations.ts'
import { readCsr } from '../pki/csr.ts'
import { deviceLayout } from '../pki/issuance.ts'
import { encodePem } from '../pki/pem.ts'
import { readPages } from '../store/read-pages.ts'
import { checkName, checkRoom, checkUdid, requestInvalid } from './checks.ts'
import type { RegistryContext } from './context.ts'
import { makeId, makeUdid } from './ids.ts'

/** Devices: those that the team registered for its profiles, and those that only activated themselves. */
export function deviceOperations(context: RegistryContext): DeviceOperations {
  const { database } = context
  const statements = prepareStatements(context)

  return {
    async add(request) {
      const name = checkName(request.name, 'device')
      const udid = request.udid === undefined ? makeUdid(context.random) : checkUdid(request.udid)
      const known = await findDevice(context, udid)
      if (known?.registered === true) throw exists(udid)
      if (known !== undefined) {
        await database.run(statements.register, [name, known.deviceId])
        return { ...known, name, registered: true }
      }
      const device = newDevice(context, udid, name, true)
      await insert(context, statements, device)
      return device
    },

    async list() {
      const devices = (await readPages(database, 'SELECT * FROM devices', 'device_id')).map(deviceOf)
      return devices.sort((a, b) => b.createdAt - a.createdAt || (a.deviceId < b.deviceId ? -1 : 1))
    },

    async get(device) {
      return requireDevice(context, device)
    },

    async activate(request) {
      const publicKey = readCsr(request.csrPem)
      const device = await deviceToActivate(context, statements, request)
      if (device.status === 'disabled') throw disabled(device)
      return certify(context, statements, device, publicKey)
    },

    async disable(device) {
      const found = await requireDevice(context, device)
      if (found.status === 'disabled') return found
      checkRoom(
        context.memory.disabledDevices.size / 2,
        limits.devicesDisabledMax,
        'DEVICE_LIMIT',
        'disabled devices',
      )
      await database.run(statements.disable, [context.now(), found.deviceId])
      const { deviceId, udid } = found
      context.memory.disabledDevices.add(deviceId).add(udid)
      context.changed({ type: 'device', deviceId, udid, status: 'disabled' })
      for (const row of await database.all(statements.serials, [deviceId])) {
        const serial = String(row.serial)
        context.memory.disabledCertificates.add(serial)
        context.changed({ type: 'certificate', serial, status: 'revoked' })
      }
      return { ...found, status: 'disabled' }
    },
  }
}

/** By device id or UDID, or `DEVICE_UNKNOWN`. */
export async function requireDevice(context: RegistryContext, device: string): Promise<Device> {
  const found = await findDevice(context, device)
  if (found !== undefined) return found
  throw new PortalError(
    'DEVICE_UNKNOWN',
    `This portal knows no device "${device}".`,
    'Add it first: carillon portal device add --name NAME',
  )
}

type Statements = ReturnType<typeof prepareStatements>

function prepareStatements({ database }: RegistryContext) {
  return {
    insert: database.prepare(
      'INSERT INTO devices (device_id, udid, name, registered, created_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
    ),
    serials: database.prepare('SELECT serial FROM device_certificates WHERE device_id = ?'),
    register: database.prepare('UPDATE devices SET name = ?, registered = 1 WHERE device_id = ?'),
    activate: database.prepare('UPDATE devices SET activated_at = ? WHERE device_id = ?'),
    disable: database.prepare(
      'UPDATE devices SET disabled_at = ? WHERE device_id = ? AND disabled_at IS NULL',
    ),
    certificate: database.prepare(
      'INSERT INTO device_certificates (serial, device_id, not_after, der) VALUES (?, ?, ?, ?)',
    ),
  }
}

async function deviceToActivate(
  context: RegistryContext,
  statements: Statements,
  request: DeviceActivationRequest,
): Promise<Device> {
  const { deviceId, udid, name } = request
  if (request.new !== true) {
    if ((deviceId === undefined) === (udid === undefined)) {
      throw requestInvalid(
        'An activation names either a device id or a UDID.',
        'For a device that the portal does not know yet, ask for a new one.',
      )
    }
    return requireDevice(context, deviceId ?? checkUdid(udid ?? ''))
  }
  if (deviceId !== undefined) {
    throw requestInvalid(
      'A new device has no device id yet.',
      'Leave the device id out, or do not ask for a new device.',
    )
  }
  const newUdid = udid === undefined ? makeUdid(context.random) : checkUdid(udid)
  // A new device must not take over the identity of one that exists: that would need no proof at all.
  if ((await findDevice(context, newUdid)) !== undefined) throw exists(newUdid)
  const deviceName = checkName(name ?? `Device ${newUdid.slice(-4)}`, 'device')
  const device = newDevice(context, newUdid, deviceName, false)
  await insert(context, statements, device)
  return device
}

async function certify(
  context: RegistryContext,
  statements: Statements,
  device: Device,
  publicKey: Uint8Array,
): Promise<DeviceActivation> {
  const { deviceId, udid } = device
  const { authority, database } = context
  const der = issue(deviceLayout(udid, deviceId, context), publicKey, authority.device, context)
  const { serial, notAfter } = readDeviceCertificate(der)
  await database.transaction([
    { statement: statements.certificate, parameters: [serial, deviceId, notAfter, der] },
    { statement: statements.activate, parameters: [context.now(), deviceId] },
  ])
  if (context.memory.disabledDevices.has(deviceId)) {
    // Disabled while the certificate was being written: nobody gets it, and it counts as revoked.
    context.memory.disabledCertificates.add(serial)
    throw disabled(device)
  }
  context.changed({ type: 'device', deviceId, udid, status: 'enabled' })
  return {
    deviceId,
    udid,
    certPem: encodePem('CERTIFICATE', der),
    chainPem: authority.device.certificatePem + encodePem('CERTIFICATE', authority.rootDer),
    serial,
    notAfter,
  }
}

function newDevice(context: RegistryContext, udid: string, name: string, registered: boolean): Device {
  return {
    deviceId: makeId(context.random),
    udid,
    name,
    registered,
    status: 'enabled',
    createdAt: context.now(),
  }
}

async function insert(
  { database, memory }: RegistryContext,
  statements: Statements,
  device: Device,
): Promise<void> {
  const { deviceId, udid, name, registered, createdAt } = device
  checkRoom(memory.counts.devices, limits.devicesMax, 'DEVICE_LIMIT', 'devices')
  const added = await database.run(statements.insert, [deviceId, udid, name, Number(registered), createdAt])
  if (added === 0) throw exists(udid)
  memory.counts.devices++
}

async function findDevice({ database }: RegistryContext, device: string): Promise<Device | undefined> {
  const byId = database.prepare('SELECT * FROM devices WHERE device_id = ? OR udid = ? OR udid = ?')
  const row = await database.get(byId, [device, device.toUpperCase(), device.toLowerCase()])
  return row === undefined ? undefined : deviceOf(row)
}

function deviceOf(row: Row): Device {
  return {
    deviceId: String(row.device_id),
    udid: String(row.udid),
    name: String(row.name),
    registered: Number(row.registered) === 1,
    status: row.disabled_at === null ? 'enabled' : 'disabled',
    createdAt: Number(row.created_at),
    ...(row.activated_at === null ? {} : { activatedAt: Number(row.activated_at) }),
  }
}

function exists(udid: string): PortalError {
  return new PortalError(
    'DEVICE_EXISTS',
    `The device "${udid}" is in this portal already.`,
    'Use it as it is: carillon portal device show',
  )
}

function disabled({ deviceId }: Device): PortalError {
  return new PortalError(
    'DEVICE_DISABLED',
    `The device ${deviceId} was disabled and cannot be activated.`,
    'Add the device under a new UDID.',
  )
}
