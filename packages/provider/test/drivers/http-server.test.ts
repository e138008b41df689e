import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { serveHttp } from '../../src/drivers/http-server.ts'

test('a client that never finishes its request does not keep the server from closing', async () => {
  const asked = Promise.withResolvers<void>()
  const server = await serveHttp(
    async (request) => {
      asked.resolve()
      return new Response(await request.text())
    },
    { host: '127.0.0.1', port: 0 },
  )
  const client = connect(Number(new URL(server.url).port), '127.0.0.1')
  client.write('POST /v1/messages HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nhalf')
  const ended = once(client, 'close')
  client.on('error', () => undefined)
  client.resume()
  await asked.promise
  await server.close(1)
  await ended
  expect(client.destroyed).toBe(true)
})
