import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { hexText } from '@carillon/wire'
import { expect, test } from 'vitest'
import { startPortalServer } from '../../portal/src/index.ts'
import { afterTest, temporaryDirectory } from './support/temporary.ts'
import { apnsIdOf, appToken, TestCourier } from './support/test-courier.ts'
import { bundleId } from './support/test-phone.ts'
import { testPortal } from './support/test-portal.ts'

const example = join(import.meta.dirname, '..', '..', '..', 'examples', 'device-app.ts')

test('examples/device-app.ts prints its token and what arrives, and ends on SIGTERM', async () => {
  const portal = await testPortal()
  afterTest(() => portal.close())
  const server = await startPortalServer({ portal })
  afterTest(() => server.close())
  await portal.apps.create({ bundleId, name: 'Bells' })
  const { der } = await portal.profiles.create({ bundleId, kind: 'inhouse' })
  const courier = await TestCourier.start(portal)
  const dataDir = await temporaryDirectory()
  const endpoints = {
    caFile: portal.files.rootCertificate,
    portal: { url: server.url, enrolmentKeyFile: portal.files.enrolmentKey },
    environments: { sandbox: { courier: courier.address }, production: { courier: courier.address } },
  }
  await writeFile(join(dataDir, 'endpoints.json'), JSON.stringify(endpoints))
  await writeFile(join(dataDir, 'profile'), der)

  const child = spawn(
    process.execPath,
    [example, dataDir, join(dataDir, 'phone'), join(dataDir, 'profile'), bundleId],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const exited = once(child, 'exit')
  afterTest(() => child.kill('SIGKILL'))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const failed = exited.then(([status]) => Promise.reject(new Error(`it ended with ${status}`)))
  const side = await Promise.race([courier.connection(), failed])
  await side.accept()
  await side.issue()
  expect((await lines.next()).value).toBe(`token ${hexText(appToken)}`)
  side.notify(bundleId, 1)
  expect((await lines.next()).value).toBe(`${apnsIdOf(1)}  number 1`)
  child.kill('SIGTERM')
  expect(await exited).toEqual([0, null])
})
