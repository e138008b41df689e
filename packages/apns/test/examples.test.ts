import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { type Listener, listen, ServerConnection } from '@carillon/http2'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeAuthKey, makeCertificate } from './support/certificate.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
let folder: string
let service: Listener
let env: NodeJS.ProcessEnv

/** Tokens of zeros are dead. */
beforeAll(async () => {
  const certificate = makeCertificate()
  folder = mkdtempSync(join(tmpdir(), 'carillon-apns-'))
  writeFileSync(join(folder, 'ca.pem'), certificate.cert)
  writeFileSync(join(folder, 'key.p8'), makeAuthKey())
  service = await listen(certificate, () => {
    const connection: ServerConnection = new ServerConnection(
      {},
      {
        onRequest(streamId, headers) {
          const isDead = headers.some((value) => value.endsWith('/0000'))
          const body = isDead ? Buffer.from('{"reason":"Unregistered","timestamp":1700000000000}') : undefined
          connection.respond(streamId, [':status', isDead ? '410' : '200'], body)
        },
        onBodyTooLarge() {},
        onRequestReset() {},
        onEnd() {},
      },
    )
    return connection
  })
  env = {
    ...process.env,
    KEY_FILE: join(folder, 'key.p8'),
    KEY_ID: 'KEYID00001',
    TEAM_ID: 'TEAMID0001',
    TOPIC: 'com.example.app',
    HOST: '127.0.0.1',
    PORT: String(service.port),
    CA_FILE: join(folder, 'ca.pem'),
  }
})

afterAll(async () => {
  await service.close()
  rmSync(folder, { recursive: true })
})

const run = async (example: string, more: NodeJS.ProcessEnv, input = '') => {
  const child = spawn(process.execPath, [join('examples', example)], { cwd: root, env: { ...env, ...more } })
  child.stdin.end(input)
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve))
  const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), exit])
  return { out, err, code }
}

test('send-push.ts sends a push', async () => {
  expect(await run('send-push.ts', { DEVICE_TOKEN: 'abcd' })).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^accepted as [0-9a-f-]{36}\n$/),
  })
  expect(await run('send-push.ts', { DEVICE_TOKEN: '0000' })).toMatchObject({
    code: 1,
    out: 'forget this token: Unregistered\n',
  })
  expect(await run('send-push.ts', {})).toMatchObject({ code: 2 })
})

test('apns-send-many.ts sends to every line', async () => {
  const { code, out, err } = await run('apns-send-many.ts', {}, 'abcd\n0000\nnonsense\nef01\n')
  expect(out.trim().split('\n').sort()).toEqual(['dead 0000', 'failed nonsense BadDeviceToken'])
  expect(err).toContain('accepted: 2')
  expect(code).toBe(0)
})

test("first-push.ts, which names nothing but Apple's service", async () => {
  // The key lies where the program runs, as its file name promises.
  writeFileSync(join(folder, 'AuthKey_ABC123DEFG.p8'), makeAuthKey())
  const preload = fileURLToPath(new URL('support/redirect-tls.ts', import.meta.url))
  const push = async (token: string) => {
    const args = ['--import', preload, join(root, 'examples', 'first-push.ts'), token]
    const redirected = { ...env, PUSH_PORT: env.PORT, PUSH_CA: env.CA_FILE }
    const child = spawn(process.execPath, args, { cwd: folder, env: redirected })
    const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)])
    return out + err
  }
  expect(await push('abcd')).toMatch(/^accepted as [0-9a-f-]{36}\n$/)
  expect(await push('0000')).toMatch(/^Unregistered: .* Drop the token/)
})
