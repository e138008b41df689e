import {
  block,
  data,
  END_HEADERS,
  headers,
  indexedBlock,
  openRequest,
  REQUEST,
  requestBlock,
} from '../peer.ts'
import { answered, fieldRow, pathless, type Row, reset1, withFields } from './server-row.ts'

/** RFC 9113 §8: messages, content-length, fields and pseudo-headers. */
export const messageRows: readonly Row[] = [
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
