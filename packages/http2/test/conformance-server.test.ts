import { describe, expect, test } from 'vitest'
import { frameRows } from './conformance/server-frames.ts'
import { messageRows } from './conformance/server-messages.ts'
import { pathless, type Row } from './conformance/server-row.ts'
import { streamRows } from './conformance/server-streams.ts'
import { block, headers, PREFACE, ping, requestBlock, settings, settingsAck, TestServer } from './peer.ts'

const rows: readonly Row[] = [...frameRows, ...streamRows, ...messageRows]

// Rows whose request carries x-late are not answered, so that their stream stays half closed.
const run = (send: readonly Buffer[]): TestServer => {
  const server = new TestServer().open()
  server.onRequest = (id, list) => {
    if (!list.includes('x-late')) server.connection.respond(id, [':status', '200'])
  }
  return server.receive(...send)
}

describe('RFC 9113, server', () => {
  test.each(rows)('$clause: $what', ({ send, expect: expected }) => {
    const server = run(send)
    const wrote = server
      .wrote()
      .filter((line) => line !== 'SETTINGS ACK' && !line.startsWith('WINDOW_UPDATE'))
    if (typeof expected === 'string') {
      expect(wrote.at(-1)).toMatch(new RegExp(`^GOAWAY \\d+ ${expected.slice('goaway '.length)}$`))
      expect(server.connection.ended).toBe(true)
      expect(server.events.at(-1)).toBe(`end protocolError ${expected.slice('goaway '.length)}`)
    } else {
      expect(wrote).toEqual(expected)
      expect(server.connection.ended).toBe(false)
    }
  })

  test.each(rows)('$clause: $what (byte by byte)', ({ send, expect: expected }) => {
    const whole = run(send)
    const server = run([])
    for (const byte of Buffer.concat(send)) server.receive(Buffer.from([byte]))
    expect(server.events).toEqual(whole.events)
    expect(server.wrote()).toEqual(whole.wrote())
    expect(expected).toBeDefined()
  })
})

describe('RFC 9113 §3.4, the opening', () => {
  test('the server begins with SETTINGS', () => {
    expect(new TestServer().wrote()[0]).toBe('SETTINGS')
  })

  test.each([
    ['HTTP/1.1', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
    ['a wrong last byte', Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\r')],
    ['no SETTINGS first', Buffer.concat([PREFACE, ping()])],
    ['an acknowledgement first', Buffer.concat([PREFACE, settingsAck])],
    ['HEADERS first', Buffer.concat([PREFACE, headers(1, requestBlock())])],
  ])('PROTOCOL_ERROR for %s', (_name, bytes) => {
    const server = new TestServer()
    server.receive(bytes)
    expect(server.wrote().at(-1)).toBe('GOAWAY 0 PROTOCOL_ERROR')
    expect(server.events).toEqual(['end protocolError PROTOCOL_ERROR'])
  })

  test('SETTINGS are acknowledged (§6.5.3)', () => {
    const server = new TestServer()
    server.wrote()
    expect(server.receive(PREFACE, settings([3, 100])).wrote()).toEqual(['SETTINGS ACK'])
  })
})

test('authorityRequired refuses a request with neither :authority nor host, and takes either', () => {
  const server = new TestServer({ authorityRequired: true }).open()
  const fields: [string, string][] = [...pathless, [':path', '/']]
  server.receive(headers(1, block(...fields)), headers(3, block(...fields, ['host', 'x'])))
  server.receive(headers(5, block(...fields, [':authority', 'x'])))
  expect(server.wrote()).toEqual(['RST_STREAM 1 PROTOCOL_ERROR'])
  expect(server.events.map((event) => event.slice(0, 9))).toEqual(['request 3', 'request 5'])
})
