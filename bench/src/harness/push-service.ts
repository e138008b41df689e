import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { devicePath } from '@carillon/wire'
import type { Material } from '../clients/run.ts'
import { type Child, core, ours, oursIn } from './child.ts'

/** One environment of our push service in a process of its own, with what its clients need. */
export interface BenchService {
  readonly child: Child
  readonly port: number
  readonly topic: string
  /** For requests by hand. */
  readonly providerToken: string
  readonly material: Material
  readonly files: Readonly<Record<'cert' | 'key' | 'uris' | 'devices', string>>
  /** Writes material for a client process; gives the file's name. */
  writeMaterial(name: string, changes?: Partial<Material>): string
}

export interface BenchServiceOptions {
  /** Variables of the service's environment. */
  readonly env?: Readonly<Record<string, string>>
  /** Made where it is absent. */
  readonly folder: string
  /** Registered devices that are away. */
  readonly tokens?: number
  /** Devices for a load process to play. */
  readonly devices?: number
  /** Handshakes in a second, 0 for the service's own default; practically without bound where absent. */
  readonly handshakes?: number
}

export async function startBenchService(options: BenchServiceOptions): Promise<BenchService> {
  const { folder, tokens = 0, devices = 0, handshakes = 100_000, env = {} } = options
  const making = ours(
    core.load,
    'servers/make-material.ts',
    ...['--data', folder, '--tokens', tokens, '--devices', devices],
  )
  await making.ended()
  const given = ['--data', folder, '--handshakes', handshakes]
  const child = oursIn(core.server, env, 'servers/push-service.ts', ...given)
  const { port, courierPort } = (await child.next('ready')) as { port: number; courierPort: number }
  const file = (name: string): string => join(folder, name)
  const read = (name: string): string => readFileSync(file(name), 'utf8')
  const deviceTokens = read('tokens.txt').split('\n').slice(0, -1)
  const uris = deviceTokens.map((token) => `https://localhost:${port}${devicePath(token)}\n`)
  writeFileSync(file('uris.txt'), uris.join(''))
  const devicesFile = { port: courierPort, ...JSON.parse(read('devices.json')) }
  writeFileSync(file('devices.json'), JSON.stringify(devicesFile), { mode: 0o600 })
  const { keyId, teamId, topic, signingKey: privateKey, providerToken } = JSON.parse(read('material.json'))
  const material: Material = {
    ...{ ca: read('ca.pem'), keyId, teamId, privateKey, topic },
    ...{ deviceToken: deviceTokens[0] ?? '', deviceTokens },
  }
  return {
    ...{ child, port, topic, providerToken, material },
    files: {
      cert: file('server.pem'),
      key: file('server.key'),
      /** One URI a line, for `h2load -i`. */
      uris: file('uris.txt'),
      devices: file('devices.json'),
    },
    writeMaterial(name, changes = {}) {
      const named = file(`${name}.json`)
      writeFileSync(named, JSON.stringify({ ...material, ...changes }), { mode: 0o600 })
      return named
    },
  }
}
