import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startSystem } from '@carillon/system'

/** A whole system in this process, on free ports and a throw-away directory: for a test suite, say. */
const dataDir = await mkdtemp(join(tmpdir(), 'carillon-example-'))
const system = await startSystem({ dataDir, ports: 'auto' })
const { portal, endpoints } = system

const app = await portal.apps.create({ bundleId: 'com.example.app', name: 'Example' })
const key = await portal.keys.create({ name: 'Back end' })
const { host, port } = endpoints.environments.sandbox.http2
console.log(`${app.appId} takes pushes at ${host}:${port}, signed with key ${key.keyId}`)

await system.close()
await rm(dataDir, { recursive: true })
