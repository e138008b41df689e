import { expect, test } from 'vitest'
import { HpackDecoder } from '../../src/hpack/decoder.ts'

/** The examples of RFC 7541 appendix C: blocks in hexadecimal, what they mean, and the table size after each. */
interface Example {
  readonly name: string
  /** C.5 and C.6 use a table of 256 bytes; here a size update says so. */
  readonly tableSize: number
  readonly steps: readonly {
    readonly hex: string
    readonly list: readonly string[]
    readonly tableBytes: number
  }[]
}

const www = [':authority', 'www.example.com']
const get = [':method', 'GET', ':scheme', 'http', ':path', '/', ...www]
const requests = [get, [...get, 'cache-control', 'no-cache']]
const third = [
  ...[':method', 'GET', ':scheme', 'https', ':path', '/index.html', ...www],
  ...['custom-key', 'custom-value'],
]
const date = (second: string) => ['date', `Mon, 21 Oct 2013 20:13:${second} GMT`]
const location = ['location', 'https://www.example.com']
const answer = (status: string) => [':status', status, 'cache-control', 'private', ...date('21'), ...location]
const last = [
  ...[':status', '200', 'cache-control', 'private', ...date('22'), ...location, 'content-encoding', 'gzip'],
  ...['set-cookie', 'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1'],
]

const examples: Example[] = [
  {
    name: 'C.2.1 literal with indexing',
    tableSize: 4096,
    steps: [
      {
        hex: '400a637573746f6d2d6b65790d637573746f6d2d686561646572',
        list: ['custom-key', 'custom-header'],
        tableBytes: 55,
      },
    ],
  },
  {
    name: 'C.2.2 literal without indexing',
    tableSize: 4096,
    steps: [{ hex: '040c2f73616d706c652f70617468', list: [':path', '/sample/path'], tableBytes: 0 }],
  },
  {
    name: 'C.2.3 literal never indexed',
    tableSize: 4096,
    steps: [{ hex: '100870617373776f726406736563726574', list: ['password', 'secret'], tableBytes: 0 }],
  },
  { name: 'C.2.4 indexed', tableSize: 4096, steps: [{ hex: '82', list: [':method', 'GET'], tableBytes: 0 }] },
  {
    name: 'C.3 requests without Huffman',
    tableSize: 4096,
    steps: [
      { hex: '828684410f7777772e6578616d706c652e636f6d', list: requests[0]!, tableBytes: 57 },
      { hex: '828684be58086e6f2d6361636865', list: requests[1]!, tableBytes: 110 },
      { hex: '828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565', list: third, tableBytes: 164 },
    ],
  },
  {
    name: 'C.4 requests with Huffman',
    tableSize: 4096,
    steps: [
      { hex: '828684418cf1e3c2e5f23a6ba0ab90f4ff', list: requests[0]!, tableBytes: 57 },
      { hex: '828684be5886a8eb10649cbf', list: requests[1]!, tableBytes: 110 },
      { hex: '828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf', list: third, tableBytes: 164 },
    ],
  },
  {
    name: 'C.5 responses without Huffman, with eviction',
    tableSize: 256,
    steps: [
      {
        hex:
          '4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d54' +
          '6e1768747470733a2f2f7777772e6578616d706c652e636f6d',
        list: answer('302'),
        tableBytes: 222,
      },
      { hex: '4803333037c1c0bf', list: answer('307'), tableBytes: 222 },
      {
        hex:
          '88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f' +
          '3d4153444a4b48514b425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b2076' +
          '657273696f6e3d31',
        list: last,
        tableBytes: 215,
      },
    ],
  },
  {
    name: 'C.6 responses with Huffman, with eviction',
    tableSize: 256,
    steps: [
      {
        hex:
          '488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f' +
          '0b97c8e9ae82ae43d3',
        list: answer('302'),
        tableBytes: 222,
      },
      { hex: '4883640effc1c0bf', list: answer('307'), tableBytes: 222 },
      {
        hex:
          '88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335df' +
          'dfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007',
        list: last,
        tableBytes: 215,
      },
    ],
  },
]

test.each(examples)('decodes RFC 7541 $name', ({ tableSize, steps }) => {
  const decoder = new HpackDecoder(4096, 65_536)
  if (tableSize === 256) decoder.decode(Buffer.from('3fe101', 'hex'), 0, 3)
  for (const { hex, list, tableBytes } of steps) {
    const bytes = Buffer.from(hex, 'hex')
    expect(decoder.decode(bytes, 0, bytes.length)).toEqual(list)
    expect(decoder.tableBytes).toBe(tableBytes)
  }
})
