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
  openRequest,
  PADDED,
  PRIORITY,
  ping,
  priority,
  requestBlock,
  rst,
  settings,
  TYPE,
  uint32,
  windowUpdate,
} from '../peer.ts'
import { answered, type Row, reset1, wholeRequest } from './server-row.ts'

/** RFC 9113 §4 and §6: frames, header compression, and the definition of each type. */
export const frameRows: readonly Row[] = [
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
]
