import type { ClientApp, Device } from '@carillon/device'
import type { PortalOperations } from '@carillon/portal'
import type { RunningSystem, SystemOptions } from '@carillon/system'
import { PhoneLog } from './phone.ts'
import type { ProviderClient } from './provider-client.ts'
import { type StoryFiles, storyFilesIn } from './story-files.ts'

export const bundleId = 'dev.carillon.example'
export const environment = 'sandbox'

/** What the steps have brought about so far. Each step fills in its part; a later one asks for it. */
export class StoryContext {
  readonly dataDir: string
  readonly ports: SystemOptions['ports']
  readonly files: StoryFiles
  readonly log = new PhoneLog()
  #portal: PortalOperations | undefined
  #system: RunningSystem | undefined
  #provider: ProviderClient | undefined
  #device: Device | undefined
  #app: ClientApp | undefined
  #key: { keyId: string; teamId: string; privateKeyPem: string } | undefined
  deviceToken = ''

  constructor(dataDir: string, ports: SystemOptions['ports']) {
    this.dataDir = dataDir
    this.ports = ports
    this.files = storyFilesIn(dataDir)
  }

  /** Open from the first step until the system opens the same directory. */
  get portal() {
    return known(this.#portal, 'the portal')
  }
  set portal(portal: PortalOperations) {
    this.#portal = portal
  }
  get system() {
    return known(this.#system, 'the system')
  }
  set system(system: RunningSystem) {
    this.#system = system
  }
  get provider() {
    return known(this.#provider, 'the provider')
  }
  set provider(provider: ProviderClient) {
    this.#provider = provider
  }
  get device() {
    return known(this.#device, 'the device')
  }
  set device(device: Device) {
    this.#device = device
  }
  get app() {
    return known(this.#app, 'the app')
  }
  set app(app: ClientApp) {
    this.#app = app
  }
  get key() {
    return known(this.#key, 'the auth key')
  }
  set key(key: { keyId: string; teamId: string; privateKeyPem: string }) {
    this.#key = key
  }

  async closePortal(): Promise<void> {
    await this.#portal?.close()
    this.#portal = undefined
  }

  async closeDevice(): Promise<void> {
    await this.#device?.close()
    this.#device = undefined
  }

  async close(): Promise<void> {
    await this.closeDevice()
    await this.closePortal()
    await this.#system?.close()
  }
}

function known<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`${what} is not there yet`)
  return value
}
