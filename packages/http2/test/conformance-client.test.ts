import { describe, expect, test } from 'vitest'
import {
  block,
  continuation,
  data,
  END_HEADERS,
  frame,
  goaway,
  headers,
  PADDED,
  ping,
  responseBlock,
  rst,
  settings,
  settingsAck,
  TestClient,
  TYPE,
  uint32,
  windowUpdate,
} from './peer.ts'

/** What a client must do with what a server may send; one request `a` is open as stream 1. */
interface Row {
  readonly clause: string
  readonly what: string
  readonly send: readonly Buffer[]
  /** `goaway CODE`, or what the engine writes in answer. */
  readonly writes: string | readonly string[]
  readonly events: readonly string[]
}

const bad = (clause: string, what: string, ...send: Buffer[]): Row => ({
  clause,
  what,
  send,
  writes: ['RST_STREAM 1 PROTOCOL_ERROR'],
  events: ['reset a PROTOCOL_ERROR'],
})
const fatal = (clause: string, what: string, code: string, ...send: Buffer[]): Row => ({
  clause,
  what,
  send,
  writes: `goaway ${code}`,
  events: [`end protocolError ${code} [a]`],
})
const fine = (clause: string, what: string, event: string, ...send: Buffer[]): Row => ({
  clause,
  what,
  send,
  writes: [],
  events: [event],
})
const openAnswer = headers(1, responseBlock(), END_HEADERS)

const rows: Row[] = [
  fine('§8.1', 'an answer without body', 'response a 200 []', headers(1, responseBlock())),
  fine('§8.1', 'an answer with body', 'response a 200 [hello]', openAnswer, data(1, 'hello')),
  fine('§8.1', 'a body in parts', 'response a 200 [hello]', openAnswer, data(1, 'he', 0), data(1, 'llo')),
  fine(
    '§8.1',
    'a body and an empty last frame',
    'response a 200 [he]',
    openAnswer,
    data(1, 'he', 0),
    data(1, ''),
  ),
  fine(
    '§8.1',
    'trailers',
    'response a 200 [he]',
    openAnswer,
    data(1, 'he', 0),
    headers(1, block(['x', 'y'])),
  ),
  fine(
    '§8.1',
    'interim answers are skipped',
    'response a 200 []',
    headers(1, block([':status', '103']), END_HEADERS),
    headers(1, block([':status', '100']), END_HEADERS),
    headers(1, responseBlock()),
  ),
  fine(
    '§6.1',
    'padding',
    'response a 200 [hi]',
    openAnswer,
    data(1, Buffer.from([2, 104, 105, 0, 0]), PADDED | 1),
  ),
  fine(
    '§6.10',
    'CONTINUATION',
    'response a 200 x y []',
    headers(1, responseBlock(), 1),
    continuation(1, block(['x', 'y']), END_HEADERS),
  ),
  fine(
    '§8.1.1',
    'content-length of a 304 says nothing of its body',
    'response a 304 content-length 5 []',
    headers(1, block([':status', '304'], ['content-length', '5'])),
  ),
  bad('§8.1', 'an interim answer with END_STREAM', headers(1, block([':status', '100']))),
  bad('§8.1', 'DATA before an answer', data(1, 'x')),
  bad('§8.1', 'a second HEADERS without END_STREAM', openAnswer, headers(1, block(['x', 'y']), END_HEADERS)),
  bad('§8.1', 'a pseudo-header in trailers', openAnswer, headers(1, block([':status', '200']))),
  bad(
    '§8.1.1',
    'content-length above the body',
    headers(1, responseBlock(['content-length', '3']), 4),
    data(1, 'x'),
  ),
  bad(
    '§8.1.1',
    'content-length below the body',
    headers(1, responseBlock(['content-length', '1']), 4),
    data(1, 'xy'),
  ),
  bad('§8.1.1', 'content-length without body', headers(1, responseBlock(['content-length', '1']))),
  bad('§8.2.1', 'an upper-case name', headers(1, responseBlock(['X', 'y']))),
  bad('§8.2.1', 'CR LF in a value', headers(1, responseBlock(['x', 'y\r\nz']))),
  bad('§8.2.2', 'a connection-specific header', headers(1, responseBlock(['connection', 'close']))),
  bad('§8.3.2', 'an empty header block', headers(1, block())),
  bad('§8.3', ':path in an answer', headers(1, block([':status', '200'], [':path', '/']))),
  bad('§8.3', ':status after a header', headers(1, block(['x', 'y'], [':status', '200']))),
  bad('§8.3.2', ':status missing', headers(1, block(['x', 'y']))),
  bad('§8.3.2', ':status twice', headers(1, block([':status', '200'], [':status', '200']))),
  bad('§8.3.2', ':status that is no number', headers(1, block([':status', 'abc']))),
  bad('§8.6', ':status 101', headers(1, block([':status', '101']), END_HEADERS)),
  fatal('§3.4', 'an even stream that nobody promised', 'PROTOCOL_ERROR', headers(2, responseBlock())),
  fatal('§5.1', 'HEADERS on an idle stream', 'PROTOCOL_ERROR', headers(3, responseBlock())),
  fatal('§5.1', 'DATA on an idle stream', 'PROTOCOL_ERROR', data(3, 'x')),
  fatal('§5.1', 'RST_STREAM on an idle stream', 'PROTOCOL_ERROR', rst(3)),
  fatal('§5.1', 'WINDOW_UPDATE on an idle stream', 'PROTOCOL_ERROR', windowUpdate(3, 1)),
  fatal(
    '§8.4',
    'PUSH_PROMISE though push is off',
    'PROTOCOL_ERROR',
    frame(TYPE.PUSH_PROMISE, END_HEADERS, 1, Buffer.concat([uint32(2), responseBlock()])),
  ),
  fatal('§6.5.2', 'ENABLE_PUSH of 1 from a server', 'PROTOCOL_ERROR', settings([2, 1])),
  fatal('§4.3', 'a block that cannot be decoded', 'COMPRESSION_ERROR', headers(1, Buffer.from([0x80]))),
  fatal('§4.2', 'a frame above the size setting', 'FRAME_SIZE_ERROR', data(1, Buffer.alloc(16_385))),
  {
    clause: '§6.4',
    what: 'RST_STREAM',
    send: [rst(1, 2)],
    writes: [],
    events: ['reset a INTERNAL_ERROR'],
  },
  {
    clause: '§8.7',
    what: 'REFUSED_STREAM may be sent again',
    send: [rst(1, 7)],
    writes: [],
    events: ['refused a'],
  },
  {
    clause: '§8.1',
    what: 'RST_STREAM(NO_ERROR) after a whole answer changes nothing',
    send: [headers(1, responseBlock()), rst(1, 0)],
    writes: [],
    events: ['response a 200 []'],
  },
  {
    clause: '§5.1',
    what: 'DATA after a whole answer',
    send: [headers(1, responseBlock()), data(1, 'x')],
    writes: ['RST_STREAM 1 STREAM_CLOSED'],
    events: ['response a 200 []'],
  },
  {
    clause: '§6.8',
    what: 'GOAWAY below the stream: safe to send again, and the end',
    send: [goaway(0, 0, '{"reason":"BadCertificateEnvironment"}')],
    writes: [],
    events: [
      'goaway NO_ERROR 0 {"reason":"BadCertificateEnvironment"}',
      'refused a',
      'end peerGoaway NO_ERROR []',
    ],
  },
  {
    clause: '§6.8',
    what: 'GOAWAY above the stream: it is still answered',
    send: [goaway(1, 0), headers(1, responseBlock())],
    writes: [],
    events: ['goaway NO_ERROR 1 ', 'response a 200 []', 'end peerGoaway NO_ERROR []'],
  },
  { clause: '§6.7', what: 'PING is acknowledged', send: [ping()], writes: ['PING ACK'], events: [] },
]

const run = (send: readonly Buffer[]): TestClient => {
  const client = new TestClient().open([3, 10])
  client.request('a')
  client.wrote()
  return client.receive(...send)
}

describe('RFC 9113, client', () => {
  test.each(rows)('$clause: $what', ({ send, writes, events }) => {
    const client = run(send)
    const wrote = client.wrote()
    if (typeof writes === 'string') expect(wrote.at(-1)).toBe(`GOAWAY 0 ${writes.slice('goaway '.length)}`)
    else expect(wrote).toEqual(writes)
    expect(client.events).toEqual(events)
  })

  test.each(rows)('$clause: $what (byte by byte)', ({ send, events }) => {
    const client = run([])
    for (const byte of Buffer.concat(send)) client.receive(Buffer.from([byte]))
    expect(client.events).toEqual(events)
  })
})

test('the opening: preface, SETTINGS with push off, a wide window', () => {
  const client = new TestClient()
  const bytes = client.connection.takeOutput()!
  expect(bytes.subarray(0, 24).toString()).toBe('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
  expect(bytes.subarray(24, 33).toString('hex')).toBe('00001e040000000000')
  expect(bytes.toString('hex')).toContain('000200000000')
})

test('the first frame of a server must be SETTINGS (§3.4)', () => {
  for (const first of [ping(), settingsAck, headers(1, responseBlock())]) {
    const client = new TestClient()
    client.receive(first)
    expect(client.events).toEqual(['end protocolError PROTOCOL_ERROR []'])
  }
})

test('an answer to HEAD may have any content-length and no body', () => {
  const client = new TestClient().open([3, 10])
  client.request('h', undefined, [':method', 'HEAD', ':scheme', 'https', ':path', '/'])
  client.receive(headers(1, responseBlock(['content-length', '500'])))
  expect(client.events).toEqual(['response h 200 content-length 500 []'])
})
