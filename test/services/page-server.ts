import { readFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { stripTypeScriptTypes } from 'node:module'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { root } from '../system/run-carillon.ts'

const page = `<!doctype html>
<title>A device</title>
<link rel="icon" href="data:,">
<script type="importmap">{
  "imports": {
    "@carillon/wire": "/packages/wire/src/index.ts",
    "@carillon/device/browser": "/packages/device/src/browser/index.ts"
  }
}</script>
<script type="module">
  import { indexedDbStorage, openBrowserDevice } from '@carillon/device/browser'
  Object.assign(globalThis, { indexedDbStorage, openBrowserDevice, shown: [] })
</script>
`

/** Serves a page with the device's functions among its globals, and the sources of the packages as a browser reads them: with the types taken off, no more. */
export async function servePage(): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server: Server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname
    if (path === '/') return void response.setHeader('content-type', 'text/html').end(page)
    if (!/^\/packages\/(wire|device)\/src\/[\w./-]+\.ts$/.test(path) || path.includes('..'))
      return void response.writeHead(404).end()
    readFile(join(root, path), 'utf8').then(
      (source) => response.setHeader('content-type', 'text/javascript').end(stripTypeScriptTypes(source)),
      () => response.writeHead(404).end(),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    // A secure context, which WebCrypto needs.
    url: `http://localhost:${port}/`,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
