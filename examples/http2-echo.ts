/**
 * An HTTP/2 server that answers each request with its own body, and a client that asks it, over real TLS:
 *
 *     CERT_FILE=cert.pem KEY_FILE=key.pem node examples/http2-echo.ts
 */
import { readFileSync } from 'node:fs'
import { ClientConnection, connect, listen, ServerConnection } from '@carillon/http2'

const { CERT_FILE, KEY_FILE } = process.env
if (!CERT_FILE || !KEY_FILE) {
  console.error('Set CERT_FILE and KEY_FILE to a certificate for localhost and its key (PEM).')
  process.exit(2)
}
const cert = readFileSync(CERT_FILE)
const key = readFileSync(KEY_FILE)

const listener = await listen({ host: '127.0.0.1', port: 0, cert, key }, () => {
  const connection: ServerConnection = new ServerConnection(
    {},
    {
      onRequest: (streamId, headers, body) => {
        console.log('server: got', headers.slice(0, 6).join(' '))
        connection.respond(streamId, [':status', '200', 'content-type', 'text/plain'], body)
      },
      onBodyTooLarge: (streamId) => connection.respond(streamId, [':status', '413']),
      onRequestReset: () => {},
      onEnd: (reason) => console.log('server: connection ended,', reason.message),
    },
  )
  return connection
})

const client: ClientConnection<string> = new ClientConnection<string>(
  {},
  {
    onCapacity: () => {
      const headers = [':method', 'POST', ':scheme', 'https', ':path', '/echo', ':authority', 'localhost']
      client.request(headers, Buffer.from('hello'), 'the first request')
      client.drain()
    },
    onResponse: (context, status, _headers, body) => {
      console.log(`client: ${context} was answered ${status} ${Buffer.from(body)}`)
    },
    onReset: (context, code) => console.log(`client: ${context} was reset, code ${code}`),
    onRefused: (context) => console.log(`client: ${context} can be sent again`),
    onGoaway: () => {},
    onEnd: (reason) => {
      console.log('client: connection ended,', reason.message)
      void listener.close()
    },
  },
)
connect({ host: 'localhost', port: listener.port, ca: cert }, client)
