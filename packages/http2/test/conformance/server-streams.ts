import {
  block,
  continuation,
  data,
  END_HEADERS,
  headers,
  openRequest,
  PRIORITY,
  ping,
  priority,
  requestBlock,
  rst,
  uint32,
  windowUpdate,
} from '../peer.ts'
import { answered, pathless, type Row, reset1, wholeRequest } from './server-row.ts'

/** RFC 9113 §5: the states of streams, their ids, and priority as RFC 7540 had it. */
export const streamRows: readonly Row[] = [
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
]
