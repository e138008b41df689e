import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { hasOpenssl, makeCertificate } from './certificates.ts'

test.skipIf(!hasOpenssl)('the example of the README runs', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'carillon-http2-example-'))
  try {
    const { cert, key } = makeCertificate()
    const CERT_FILE = join(folder, 'cert.pem')
    const KEY_FILE = join(folder, 'key.pem')
    writeFileSync(CERT_FILE, cert)
    writeFileSync(KEY_FILE, key, { mode: 0o600 })
    const example = join(import.meta.dirname, '../../../examples/http2-echo.ts')
    const { stdout } = await promisify(execFile)(process.execPath, [example], {
      env: { ...process.env, CERT_FILE, KEY_FILE },
    })
    expect(stdout).toContain('client: the first request was answered 200 hello')
    expect(stdout).toContain('server: connection ended')
  } finally {
    rmSync(folder, { recursive: true })
  }
})
