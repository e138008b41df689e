import { describe, expect, test } from 'vitest'
import {
  ACK,
  block,
  continuation,
  data,
  END_HEADERS,
  END_STREAM,
  frame,
  goaway,
  headers,
  indexedBlock,
  PADDED,
  PREFACE,
  PRIORITY,
  ping,
  priority,
  REQUEST,
  requestBlock,
  rst,
  settings,
  settingsAck,
  TestServer,
  TYPE,
  uint32,
  windowUpdate,
} from './peer.ts'

/**
 * What a server must do with what a client may send, a row per rule: the bytes after a finished opening, and
 * what the server writes. `GOAWAY` rows name only the code; the connection must be over then.
 */
interface Row {
  readonly clause: string
  readonly what: string
  readonly send: readonly Buffer[]
  /** `goaway CODE`, or the lines that the engine writes in answer (SETTINGS acknowledgements apart). */
  readonly expect: string | readonly string[]
}

const openRequest = headers(1, requestBlock(), END_HEADERS)
const wholeRequest = headers(1, requestBlock())
const pathless: [string, string][] = [
  [':method', 'GET'],
  [':scheme', 'https'],
]
const withFields = (...fields: [string, string][]) => headers(1, requestBlock(...fields))
const reset1 = ['RST_STREAM 1 PROTOCOL_ERROR']
const answered = ['HEADERS 1 END_STREAM']
const fieldRow = (clause: string, what: string, ...fields: [string, string][]): Row => ({
  clause,
  what,
  send: [headers(1, block(...fields))],
  expect: reset1,
})

const rows: Row[] = [
  // §4.1 and §4.2: frames
  {
    clause: '§4.1',
    what: 'a frame of unknown type is ignored',
    send: [frame(0x16, 0xff, 0, Buffer.from('abc')), ping()],
    expect: ['PING ACK'],
  },
  {
    clause: '§4.1',
    what: 'unknown flags are ignored',
    send: [frame(TYPE.PING, 0x16, 0, Buffer.from('12345678'))],
    expect: ['PING ACK'],
  },
  {
    clause: '§4.1',
    what: 'the reserved bit of the stream id is ignored',
    send: [frame(TYPE.PING, 0, 0x80000000, Buffer.from('12345678'))],
    expect: ['PING ACK'],
  },
  {
    clause: '§4.2',
    what: 'a DATA frame of the largest allowed size',
    send: [openRequest, data(1, Buffer.alloc(16_384))],
    expect: answered,
  },
  {
    clause: '§4.2',
    what: 'a DATA frame above the size setting',
    send: [openRequest, data(1, Buffer.alloc(16_385))],
    expect: 'goaway FRAME_SIZE_ERROR',
  },
  {
    clause: '§4.2',
    what: 'a HEADERS frame above the size setting',
    send: [headers(1, Buffer.alloc(16_385, 0x82))],
    expect: 'goaway FRAME_SIZE_ERROR',
  },
  {
    clause: '§4.2',
    what: 'an unknown frame above the size setting',
    send: [frame(0x42, 0, 0, Buffer.alloc(16_385))],
    expect: 'goaway FRAME_SIZE_ERROR',
  },
  // §4.3: header compression
  {
    clause: '§4.3',
    what: 'a header block that cannot be decoded',
    send: [headers(1, Buffer.from('80', 'hex'))],
    expect: 'goaway COMPRESSION_ERROR',
  },
  {
    clause: '§4.3',
    what: 'a PRIORITY frame inside a header block',
    send: [headers(1, requestBlock(), END_STREAM), priority(1), continuation(1, block(), END_HEADERS)],
    expect: 'goaway PROTOCOL_ERROR',
  },
  {
    clause: '§4.3',
    what: 'HEADERS of another stream inside a header block',
    send: [headers(1, requestBlock(), END_STREAM), headers(3, requestBlock())],
    expect: 'goaway PROTOCOL_ERROR',
  },
  {
    clause: '§4.3',
    what: 'a broken block in CONTINUATION',
    send: [headers(1, requestBlock(), END_STREAM), continuation(1, Buffer.from('80', 'hex'), END_HEADERS)],
    expect: 'goaway COMPRESSION_ERROR',
  },
  // §5.1: stream states
  ...(
    [
      ['DATA', data(1, 'x')],
      ['RST_STREAM', rst(1)],
      ['WINDOW_UPDATE', windowUpdate(1, 100)],
    ] as const
  ).map(
    ([name, bytes]): Row => ({
      clause: '§5.1',
      what: `${name} on an idle stream`,
      send: [bytes],
      expect: 'goaway PROTOCOL_ERROR',
    }),
  ),
  {
    clause: '§5.1',
    what: 'CONTINUATION on an idle stream',
    send: [continuation(1, requestBlock(), END_HEADERS)],
    expect: 'goaway PROTOCOL_ERROR',
  },
  {
    clause: '§5.1',
    what: 'PRIORITY on an idle stream is allowed',
    send: [priority(1), ping()],
    expect: ['PING ACK'],
  },
  {
    clause: '§5.1',
    what: 'DATA on a half-closed stream',
    send: [headers(1, requestBlock(['x-late', '1'])), data(1, 'x')],
    expect: ['RST_STREAM 1 STREAM_CLOSED'],
  },
  {
    clause: '§5.1',
    what: 'HEADERS on a half-closed stream',
    send: [headers(1, requestBlock(['x-late', '1'])), headers(1, requestBlock())],
    expect: ['RST_STREAM 1 STREAM_CLOSED'],
  },
  {
    clause: '§5.1',
    what: 'WINDOW_UPDATE and PRIORITY on a half-closed stream are allowed',
    send: [headers(1, requestBlock(['x-late', '1'])), windowUpdate(1, 1), priority(1), ping()],
    expect: ['PING ACK'],
  },
  {
    clause: '§5.1',
    what: 'CONTINUATION on a half-closed stream',
    send: [headers(1, requestBlock(['x-late', '1'])), continuation(1, block(), END_HEADERS)],
    expect: 'goaway PROTOCOL_ERROR',
  },
  {
    clause: '§5.1',
    what: 'DATA after the peer reset the stream',
    send: [openRequest, rst(1), data(1, 'x')],
    expect: ['RST_STREAM 1 STREAM_CLOSED'],
  },
  {
    clause: '§5.1',
    what: 'HEADERS after the peer reset the stream',
    send: [openRequest, rst(1), headers(1, requestBlock())],
    expect: 'goaway STREAM_CLOSED',
  },
  {
    clause: '§5.1',
    what: 'DATA on a closed stream',
    send: [wholeRequest, data(1, 'x')],
    expect: [...answered, 'RST_STREAM 1 STREAM_CLOSED'],
  },
  {
    clause: '§5.1',
    what: 'HEADERS on a closed stream',
    send: [wholeRequest, headers(1, requestBlock())],
    expect: 'goaway STREAM_CLOSED',
  },
  {
    clause: '§5.1',
    what: 'WINDOW_UPDATE, PRIORITY and RST_STREAM on a closed stream are ignored',
    send: [wholeRequest, windowUpdate(1, 1), priority(1), rst(1), ping()],
    expect: [...answered, 'PING ACK'],
  },
  {
    clause: '§5.1',
    what: 'frames that were under way when we reset the stream are ignored',
    send: [
      headers(1, block(...pathless), END_HEADERS),
      data(1, 'abc', 0),
      headers(1, block(['a', 'b'])),
      ping(),
    ],
    expect: [...reset1, 'PING ACK'],
  },
  // §5.1.1: stream ids
  {
    clause: '§5.1.1',
    what: 'an even id from a client',
    send: [headers(2, requestBlock())],
    expect: 'goaway PROTOCOL_ERROR',
  },
  {
    clause: '§5.1.1',
    what: 'an id below one that was used, never opened itself',
    send: [headers(5, requestBlock()), headers(3, requestBlock())],
    expect: 'goaway PROTOCOL_ERROR',
  },
  {
    clause: '§5.1.1',
    what: 'ids may leave gaps',
    send: [headers(1, requestBlock()), headers(101, requestBlock())],
    expect: ['HEADERS 1 END_STREAM', 'HEADERS 101 END_STREAM'],
  },
  // §5.3 of RFC 7540
  {
    clause: 'RFC 7540 §5.3.1',
    what: 'PRIORITY that depends on its own stream',
    send: [openRequest, priority(1, 1)],
    expect: reset1,
  },
  {
    clause: 'RFC 7540 §5.3.1',
    what: 'HEADERS that depend on their own stream',
    send: [headers(1, Buffer.concat([uint32(1), Buffer.from([15]), requestBlock()]), END_HEADERS | PRIORITY)],
    expect: reset1,
  },
  // §6.1 DATA
  { clause: '§6.1', what: 'DATA on stream 0', send: [data(0, 'x')], expect: 'goaway PROTOCOL_ERROR' },
  {
    clause: '§6.1',
    what: 'padding as long as the frame',
    send: [openRequest, data(1, Buffer.from([5, 1, 2, 3, 4]), PADDED | END_STREAM)],
    expect: 'goaway PROTOCOL_ERROR',
  },
  {
    clause: '§6.1',
    what: 'a padded frame without its length octet',
    send: [openRequest, data(1, Buffer.alloc(0), PADDED | END_STREAM)],
    expect: 'goaway FRAME_SIZE_ERROR',
  },
  {
    clause: '§6.1',
    what: 'padding is not part of the body',
    send: [
      headers(1, requestBlock(['content-length', '2']), END_HEADERS),
      data(1, Buffer.from([3, 104, 105, 0, 0, 0]), PADDED | END_STREAM),
    ],
    expect: answered,
  },
  {
    clause: '§6.1',
    what: 'a frame of padding only',
    send: [openRequest, data(1, Buffer.from([2, 0, 0]), PADDED | END_STREAM)],
    expect: answered,
  },
  // §6.2 HEADERS
  {
    clause: '§6.2',
    what: 'HEADERS on stream 0',
    send: [headers(0, requestBlock())],
    expect: 'goaway PROTOCOL_ERROR',
  },
  {
    clause: '§6.2',
    what: 'HEADERS with padding and priority',
    send: [
      headers(
        1,
        Buffer.concat([Buffer.from([2]), uint32(0), Buffer.from([15]), requestBlock(), Buffer.alloc(2)]),
        END_STREAM | END_HEADERS | PADDED | PRIORITY,
      ),
    ],
    expect: answered,
  },
  {
    clause: '§6.2',
    what: 'HEADERS with padding as long as the frame',
    send: [headers(1, Buffer.from([200, 0x82]), END_STREAM | END_HEADERS | PADDED)],
    expect: 'goaway PROTOCOL_ERROR',
  },
  {
    clause: '§6.2',
    what: 'HEADERS too short for their priority',
    send: [headers(1, Buffer.from([0, 0]), END_STREAM | END_HEADERS | PRIORITY)],
    expect: 'goaway FRAME_SIZE_ERROR',
  },
  // §6.3 PRIORITY
  { clause: '§6.3', what: 'PRIORITY on stream 0', send: [priority(0)], expect: 'goaway PROTOCOL_ERROR' },
  {
    clause: '§6.3',
    what: 'PRIORITY of a wrong length is an error of the stream',
    send: [openRequest, frame(TYPE.PRIORITY, 0, 1, Buffer.alloc(4))],
    expect: ['RST_STREAM 1 FRAME_SIZE_ERROR'],
  },
  // §6.4 RST_STREAM
  { clause: '§6.4', what: 'RST_STREAM on stream 0', send: [rst(0)], expect: 'goaway PROTOCOL_ERROR' },
  {
    clause: '§6.4',
    what: 'RST_STREAM of a wrong length',
    send: [openRequest, frame(TYPE.RST_STREAM, 0, 1, Buffer.alloc(3))],
    expect: 'goaway FRAME_SIZE_ERROR',
  },
  // §6.5 SETTINGS
  {
    clause: '§6.5',
    what: 'an acknowledgement with payload',
    send: [frame(TYPE.SETTINGS, ACK, 0, Buffer.alloc(6))],
    expect: 'goaway FRAME_SIZE_ERROR',
  },
  {
    clause: '§6.5',
    what: 'SETTINGS on a stream',
    send: [frame(TYPE.SETTINGS, 0, 1, Buffer.alloc(6))],
    expect: 'goaway PROTOCOL_ERROR',
  },
  {
    clause: '§6.5',
    what: 'SETTINGS of a length that is no multiple of 6',
    send: [frame(TYPE.SETTINGS, 0, 0, Buffer.alloc(7))],
    expect: 'goaway FRAME_SIZE_ERROR',
  },
  { clause: '§6.5.2', what: 'ENABLE_PUSH of 2', send: [settings([2, 2])], expect: 'goaway PROTOCOL_ERROR' },
  {
    clause: '§6.5.2',
    what: 'INITIAL_WINDOW_SIZE above 2^31-1',
    send: [settings([4, 0x80000000])],
    expect: 'goaway FLOW_CONTROL_ERROR',
  },
  {
    clause: '§6.5.2',
    what: 'MAX_FRAME_SIZE below 2^14',
    send: [settings([5, 16_383])],
    expect: 'goaway PROTOCOL_ERROR',
  },
  {
    clause: '§6.5.2',
    what: 'MAX_FRAME_SIZE above 2^24-1',
    send: [settings([5, 16_777_216])],
    expect: 'goaway PROTOCOL_ERROR',
  },
  {
    clause: '§6.5.2',
    what: 'an unknown setting is ignored',
    send: [settings([0xff, 1]), ping()],
    expect: ['PING ACK'],
  },
  {
    clause: '§6.5.3',
    what: 'the last of several values of one setting counts',
    send: [settings([4, 100], [4, 2]), wholeRequest],
    expect: answered,
  },
  // §6.6 PUSH_PROMISE
  {
    clause: '§6.6, §8.4',
    what: 'PUSH_PROMISE from a client',
    send: [openRequest, frame(TYPE.PUSH_PROMISE, END_HEADERS, 1, Buffer.concat([uint32(2), requestBlock()]))],
    expect: 'goaway PROTOCOL_ERROR',
  },
  // §6.7 PING
  { clause: '§6.7', what: 'PING is acknowledged', send: [ping()], expect: ['PING ACK'] },
  { clause: '§6.7', what: 'an acknowledgement is not answered', send: [ping('12345678', ACK)], expect: [] },
  {
    clause: '§6.7',
    what: 'PING on a stream',
    send: [frame(TYPE.PING, 0, 1, Buffer.alloc(8))],
    expect: 'goaway PROTOCOL_ERROR',
  },
  {
    clause: '§6.7',
    what: 'PING of a wrong length',
    send: [frame(TYPE.PING, 0, 0, Buffer.alloc(6))],
    expect: 'goaway FRAME_SIZE_ERROR',
  },
  // §6.8 GOAWAY
  {
    clause: '§6.8',
    what: 'GOAWAY on a stream',
    send: [frame(TYPE.GOAWAY, 0, 1, Buffer.alloc(8))],
    expect: 'goaway PROTOCOL_ERROR',
  },
  {
    clause: '§6.8',
    what: 'GOAWAY that is too short',
    send: [frame(TYPE.GOAWAY, 0, 0, Buffer.alloc(7))],
    expect: 'goaway FRAME_SIZE_ERROR',
  },
  { clause: '§6.8', what: 'PING after GOAWAY is answered', send: [goaway(0), ping()], expect: ['PING ACK'] },
  // §6.9 WINDOW_UPDATE
  {
    clause: '§6.9',
    what: 'an increment of 0 on the connection',
    send: [windowUpdate(0, 0)],
    expect: 'goaway PROTOCOL_ERROR',
  },
  {
    clause: '§6.9',
    what: 'an increment of 0 on a stream',
    send: [openRequest, windowUpdate(1, 0)],
    expect: reset1,
  },
  {
    clause: '§6.9',
    what: 'WINDOW_UPDATE of a wrong length',
    send: [frame(TYPE.WINDOW_UPDATE, 0, 0, Buffer.alloc(3))],
    expect: 'goaway FRAME_SIZE_ERROR',
  },
  {
    clause: '§6.9.1',
    what: 'the window of the connection above 2^31-1',
    send: [windowUpdate(0, 0x7fffffff)],
    expect: 'goaway FLOW_CONTROL_ERROR',
  },
  {
    clause: '§6.9.1',
    what: 'the window of a stream above 2^31-1',
    send: [openRequest, windowUpdate(1, 0x7fffffff)],
    expect: ['RST_STREAM 1 FLOW_CONTROL_ERROR'],
  },
  {
    clause: '§6.9.2',
    what: 'SETTINGS that put a window above 2^31-1',
    send: [openRequest, windowUpdate(1, 100), settings([4, 0x7fffffff])],
    expect: 'goaway FLOW_CONTROL_ERROR',
  },
  // §6.10 CONTINUATION
  {
    clause: '§6.10',
    what: 'a block over several CONTINUATION frames',
    send: [
      headers(1, requestBlock(), END_STREAM),
      continuation(1, block(['a', 'b'])),
      continuation(1, block(['c', 'd']), END_HEADERS),
    ],
    expect: answered,
  },
  {
    clause: '§6.10',
    what: 'a field that is cut by CONTINUATION',
    send: [
      headers(1, requestBlock().subarray(0, 7), END_STREAM),
      continuation(1, requestBlock().subarray(7), END_HEADERS),
    ],
    expect: answered,
  },
  {
    clause: '§6.10',
    what: 'CONTINUATION after END_HEADERS',
    send: [openRequest, continuation(1, block(), END_HEADERS)],
    expect: 'goaway PROTOCOL_ERROR',
  },
  {
    clause: '§6.10',
    what: 'CONTINUATION on stream 0',
    send: [headers(1, requestBlock(), END_STREAM), continuation(0, block(), END_HEADERS)],
    expect: 'goaway PROTOCOL_ERROR',
  },
  {
    clause: '§6.10',
    what: 'DATA before END_HEADERS',
    send: [headers(1, requestBlock(), 0), data(1, 'x')],
    expect: 'goaway PROTOCOL_ERROR',
  },
  // §8.1: messages
  {
    clause: '§8.1',
    what: 'trailers end a request',
    send: [openRequest, data(1, 'abc', 0), headers(1, block(['x-sum', '1']))],
    expect: answered,
  },
  {
    clause: '§8.1',
    what: 'a second HEADERS without END_STREAM',
    send: [openRequest, headers(1, block(['x-sum', '1']), END_HEADERS)],
    expect: reset1,
  },
  {
    clause: '§8.1',
    what: 'a pseudo-header in trailers',
    send: [openRequest, headers(1, block([':method', 'POST']))],
    expect: reset1,
  },
  // §8.1.1: content-length
  {
    clause: '§8.1.1',
    what: 'content-length above the body',
    send: [headers(1, requestBlock(['content-length', '3']), END_HEADERS), data(1, 'ab')],
    expect: reset1,
  },
  {
    clause: '§8.1.1',
    what: 'content-length below the body, in several DATA frames',
    send: [headers(1, requestBlock(['content-length', '3']), END_HEADERS), data(1, 'ab', 0), data(1, 'cd')],
    expect: reset1,
  },
  {
    clause: '§8.1.1',
    what: 'content-length without a body',
    send: [withFields(['content-length', '3'])],
    expect: reset1,
  },
  {
    clause: '§8.1.1',
    what: 'content-length of 0 without a body',
    send: [withFields(['content-length', '0'])],
    expect: answered,
  },
  {
    clause: '§8.1.1',
    what: 'content-length that does not fit, with trailers',
    send: [
      headers(1, requestBlock(['content-length', '3']), END_HEADERS),
      data(1, 'ab', 0),
      headers(1, block(['x-sum', '1'])),
    ],
    expect: reset1,
  },
  {
    clause: '§8.1.1',
    what: 'content-length that is no number',
    send: [withFields(['content-length', '-1'])],
    expect: reset1,
  },
  {
    clause: 'RFC 9110 §8.6',
    what: 'two content-lengths',
    send: [withFields(['content-length', '0'], ['content-length', '1'])],
    expect: reset1,
  },
  // §8.2: fields
  { clause: '§8.2.1', what: 'an upper-case name', send: [withFields(['X-Test', '1'])], expect: reset1 },
  { clause: '§8.2.1', what: 'a name with a space', send: [withFields(['x test', '1'])], expect: reset1 },
  {
    clause: '§8.2.1',
    what: 'a name with a colon inside',
    send: [withFields(['x:test', '1'])],
    expect: reset1,
  },
  { clause: '§8.2.1', what: 'a name above ASCII', send: [withFields(['x-\xe9', '1'])], expect: reset1 },
  { clause: '§8.2.1', what: 'an empty name', send: [withFields(['', '1'])], expect: reset1 },
  { clause: '§8.2.1', what: 'NUL in a value', send: [withFields(['a', 'x\0y'])], expect: reset1 },
  { clause: '§8.2.1', what: 'LF in a value', send: [withFields(['a', 'x\ny'])], expect: reset1 },
  { clause: '§8.2.1', what: 'CR in a value', send: [withFields(['a', 'x\ry'])], expect: reset1 },
  { clause: '§8.2.1', what: 'a space before a value', send: [withFields(['a', ' x'])], expect: reset1 },
  { clause: '§8.2.1', what: 'a tab after a value', send: [withFields(['a', 'x\t'])], expect: reset1 },
  {
    clause: '§8.2.1',
    what: 'bytes above ASCII in a value are allowed',
    send: [withFields(['a', '\xe9'])],
    expect: answered,
  },
  ...['connection', 'proxy-connection', 'keep-alive', 'transfer-encoding', 'upgrade'].map(
    (name): Row => ({
      clause: '§8.2.2',
      what: `the connection-specific header ${name}`,
      send: [withFields([name, 'x'])],
      expect: reset1,
    }),
  ),
  { clause: '§8.2.2', what: 'te other than trailers', send: [withFields(['te', 'gzip'])], expect: reset1 },
  { clause: '§8.2.2', what: 'te: trailers', send: [withFields(['te', 'trailers'])], expect: answered },
  // §8.3: pseudo-headers
  { clause: '§8.3', what: 'an unknown pseudo-header', send: [withFields([':test', '1'])], expect: reset1 },
  {
    clause: '§8.3',
    what: 'a pseudo-header of responses',
    send: [headers(1, block([':status', '200'], ...REQUEST))],
    expect: reset1,
  },
  fieldRow('§8.3', 'a pseudo-header after a regular one', ['a', 'b'], ...REQUEST),
  fieldRow('§8.3.1', ':method missing', [':scheme', 'https'], [':path', '/']),
  fieldRow('§8.3.1', ':scheme missing', [':method', 'GET'], [':path', '/']),
  fieldRow('§8.3.1', ':path missing', ...pathless),
  fieldRow('§8.3.1', ':path empty', ...pathless, [':path', '']),
  fieldRow('§8.3.1', ':path without a slash', ...pathless, [':path', 'x']),
  fieldRow('§8.3.1', ':method twice', [':method', 'GET'], ...REQUEST),
  fieldRow('§8.3.1', ':scheme twice', [':scheme', 'https'], ...REQUEST),
  fieldRow('§8.3.1', ':path twice', [':path', '/'], ...REQUEST),
  fieldRow('§8.3.1', ':authority twice', [':authority', 'x'], ...REQUEST),
  fieldRow('§8.3.1', ':method that is no token', [':method', 'G T'], [':scheme', 'https'], [':path', '/']),
  {
    clause: '§8.3.1',
    what: ':path of * is allowed',
    send: [headers(1, block([':method', 'OPTIONS'], [':scheme', 'https'], [':path', '*']))],
    expect: answered,
  },
  {
    clause: '§8.3.1',
    what: 'neither :authority nor host is accepted by default',
    send: [headers(1, block(...pathless, [':path', '/']))],
    expect: answered,
  },
  // A verdict stays with an entry of the dynamic table.
  {
    clause: '§8.2.1',
    what: 'a bad value that is sent again as an index is still bad',
    send: [
      headers(1, Buffer.concat([requestBlock(), indexedBlock(['a', 'x\ny'])])),
      headers(3, Buffer.concat([requestBlock(), Buffer.from('be', 'hex')])),
    ],
    expect: [...reset1, 'RST_STREAM 3 PROTOCOL_ERROR'],
  },
]

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
