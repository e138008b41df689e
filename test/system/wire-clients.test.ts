import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import {
  continuation,
  data,
  END_HEADERS,
  END_STREAM,
  frame,
  headers,
  PADDED,
  PREFACE,
  PRIORITY,
  ping,
  priority,
  rst,
  settings,
  settingsAck,
  TYPE,
  uint32,
  windowUpdate,
} from '../../packages/http2/test/peer.ts'
import { bundleId, type LocalApp, startLocalApp } from './support/local-app.ts'
import { type Field, headerBlock, WireClient } from './support/wire-client.ts'

let app: LocalApp
let bearer: string
const clients: WireClient[] = []

beforeAll(async () => {
  app = await startLocalApp()
  bearer = app.jwt()
})
afterEach(() => {
  for (const client of clients.splice(0)) client.close()
})
afterAll(() => app.close())

async function open(...own: Parameters<typeof WireClient.open> extends [LocalApp, ...infer R] ? R : never) {
  const client = await WireClient.open(app, ...own)
  clients.push(client)
  return client
}

/** A push that no other test sends. Fields with an undefined value are left out. */
function push(changes: Record<string, string | undefined> = {}) {
  const body = JSON.stringify({ aps: { alert: `wire ${randomUUID()}` } })
  const all: Record<string, string | undefined> = {
    ':method': 'POST',
    ':scheme': 'https',
    ':path': `/3/device/${app.deviceToken}`,
    ':authority': 'api.push.apple.com',
    authorization: `bearer ${bearer}`,
    'apns-topic': bundleId,
    'apns-push-type': 'alert',
    ...changes,
  }
  const fields = Object.entries(all).filter((field): field is [string, string] => field[1] !== undefined)
  return { fields: fields as Field[], body, changes }
}
type Push = ReturnType<typeof push>

/** Answered with 200, and on the screen. */
async function expectShown(client: WireClient, { body }: Push, id = 1) {
  const answer = await client.answer(id)
  expect(answer).toMatchObject({ status: '200', body: '', dataFrames: 0 })
  const one = await app.waitFor(({ payload }) => JSON.stringify(payload) === body)
  expect(answer.headers['apns-id']?.toLowerCase()).toBe(one.apnsId.toLowerCase())
  return answer
}

const split = (bytes: Buffer, parts: number): Buffer[] => {
  const size = Math.ceil(bytes.length / parts)
  return Array.from({ length: parts }, (_, index) => bytes.subarray(index * size, (index + 1) * size))
}

describe('how clients name things', () => {
  const cases: [string, Record<string, string | undefined>][] = [
    ['host in place of :authority (aioapns)', { ':authority': undefined, host: 'api.push.apple.com' }],
    ['neither :authority nor host', { ':authority': undefined }],
    ['both', { host: 'api.push.apple.com' }],
    [':authority with a port', { ':authority': 'api.push.apple.com:2197' }],
    ['another host', { ':authority': 'push.example' }],
    ['the address', { ':authority': '127.0.0.1' }],
    ['expiration 0: now or never (pushy)', { 'apns-expiration': '0' }],
    ['no push type', { 'apns-push-type': undefined }],
    [
      'fields that mean nothing here',
      { 'user-agent': 'x', te: 'trailers', accept: '*/*', cookie: 'a=b', 'x-own': '' },
    ],
  ]
  test.each(cases)('%s', async (_name, changes) => {
    const client = await open()
    const one = push(changes)
    client.write(headers(1, headerBlock(one.fields), END_HEADERS), data(1, one.body))
    await expectShown(client, one)
  })

  test.each(['Bearer', 'BEARER', 'bearer '])('the scheme written "%s"', async (scheme) => {
    const client = await open()
    const one = push({ authorization: `${scheme} ${bearer}` })
    client.write(headers(1, headerBlock(one.fields), END_HEADERS), data(1, one.body))
    await expectShown(client, one)
  })

  test('a signature in DER (pushy, apnotic, Apple’s own recipe)', async () => {
    const client = await open()
    const one = push({ authorization: `bearer ${app.jwt('der')}` })
    client.write(headers(1, headerBlock(one.fields), END_HEADERS), data(1, one.body))
    await expectShown(client, one)
  })

  test.each([
    ['in capitals', randomUUID().toUpperCase()],
    ['in small letters', randomUUID()],
    ['in both', 'ABCDEF01-abcd-EFab-89ab-0123456789ab'],
  ])('an apns-id %s comes back letter by letter', async (_name, apnsId) => {
    const client = await open()
    const one = push({ 'apns-id': apnsId })
    client.write(headers(1, headerBlock(one.fields), END_HEADERS), data(1, one.body))
    expect((await expectShown(client, one)).headers['apns-id']).toBe(apnsId)
  })

  test('a device token in capitals', async () => {
    const client = await open()
    const one = push({ ':path': `/3/device/${app.deviceToken.toUpperCase()}` })
    client.write(headers(1, headerBlock(one.fields), END_HEADERS), data(1, one.body))
    await expectShown(client, one)
  })
})

describe('how clients begin', () => {
  test('no ALPN: prior knowledge (pushy)', async () => {
    const client = await open([], [])
    expect(client.socket.alpnProtocol).toBe(false)
    const one = push()
    client.write(headers(1, headerBlock(one.fields), END_HEADERS), data(1, one.body))
    await expectShown(client, one)
  })

  test('everything in one write, before a word of the server', async () => {
    const client = await WireClient.dial(app)
    clients.push(client)
    const one = push()
    client.write(PREFACE, settings(), headers(1, headerBlock(one.fields), END_HEADERS), data(1, one.body))
    await expectShown(client, one)
  })

  test('1000 streams before SETTINGS: those above the limit are refused, none is lost, the connection lives', async () => {
    const client = await WireClient.dial(app)
    clients.push(client)
    const count = 1000
    const one = push({ 'apns-priority': '99' })
    const block = headerBlock(one.fields)
    const ids = Array.from({ length: count }, (_, index) => index * 2 + 1)
    client.write(PREFACE, settings(), ...ids.map((id) => headers(id, block, END_HEADERS)))
    client.write(...ids.map((id) => data(id, one.body)))
    const outcomes = await Promise.all(
      ids.map((id) =>
        client.answer(id).then(
          ({ status }) => status,
          ({ message }) => message.split(': ')[1] as string,
        ),
      ),
    )
    const refused = '7'
    expect(new Set(outcomes)).toEqual(new Set(['400', refused]))
    expect(outcomes.filter((told) => told === '400').length).toBeGreaterThanOrEqual(100)
    const good = push()
    client.write(settingsAck, headers(2001, headerBlock(good.fields), END_HEADERS), data(2001, good.body))
    await expectShown(client, good, 2001)
  })

  test('SETTINGS and frames that nobody has heard of', async () => {
    const client = await open([[0x7777, 1]])
    const one = push()
    client.write(
      frame(0xbe, 0xff, 0, Buffer.from('what?')),
      headers(1, headerBlock(one.fields), END_HEADERS),
      frame(0xef, 0, 1, Buffer.from('?')),
      data(1, one.body),
    )
    await expectShown(client, one)
  })
})

describe('how clients write header blocks', () => {
  const blocks: [string, (one: Push) => Buffer][] = [
    ['Huffman nowhere', ({ fields }) => headerBlock(fields)],
    ['Huffman everywhere', ({ fields }) => headerBlock(fields, { huffman: true })],
    ['never indexed', ({ fields }) => headerBlock(fields, { indexing: 'never', huffman: true })],
    ['all into the table', ({ fields }) => headerBlock(fields, { indexing: 'incremental' })],
    // RFC 7541 §6.3: down to nothing, and up again.
    [
      'the table emptied first',
      ({ fields }) =>
        Buffer.concat([Buffer.of(0x20, 0x3f, 0xe1, 0x1f), headerBlock(fields, { indexing: 'incremental' })]),
    ],
  ]
  test.each(blocks)('%s', async (_name, block) => {
    const client = await open()
    const one = push()
    client.write(headers(1, block(one), END_HEADERS), data(1, one.body))
    await expectShown(client, one)
  })

  test('the second push refers to the table for everything', async () => {
    const client = await open()
    const [first, second] = [push(), push()]
    client.write(
      headers(1, headerBlock(first.fields, { indexing: 'incremental' }), END_HEADERS),
      data(1, first.body),
    )
    // The newest entry is number 62: all fields of the first, from the oldest on.
    const indexed = first.fields.map((_, index) => 0x80 | (61 + first.fields.length - index))
    client.write(headers(3, Buffer.of(...indexed), END_HEADERS), data(3, second.body))
    await expectShown(client, first)
    await expectShown(client, second, 3)
  })

  test.each([2, 5, 8])('split into HEADERS and CONTINUATION, %i pieces', async (pieces) => {
    const client = await open()
    const one = push()
    const [first, ...rest] = split(headerBlock(one.fields), pieces)
    client.write(
      headers(1, first!, 0),
      ...rest.map((part, index) => continuation(1, part, index === rest.length - 1 ? END_HEADERS : 0)),
      data(1, one.body),
    )
    await expectShown(client, one)
  })

  test('padding on HEADERS and DATA', async () => {
    const client = await open()
    const one = push()
    const padded = (bytes: Uint8Array) => Buffer.concat([Buffer.of(200), bytes, Buffer.alloc(200)])
    client.write(
      headers(1, padded(headerBlock(one.fields)), END_HEADERS | PADDED),
      data(1, padded(Buffer.from(one.body)), END_STREAM | PADDED),
    )
    await expectShown(client, one)
  })

  test('priority fields, and PRIORITY frames for streams that are not there', async () => {
    const client = await open()
    const one = push()
    const block = Buffer.concat([uint32(0x80000000), Buffer.of(255), headerBlock(one.fields)])
    client.write(
      priority(3),
      priority(5, 3),
      headers(1, block, END_HEADERS | PRIORITY),
      priority(1, 3),
      data(1, one.body),
    )
    await expectShown(client, one)
  })
})

describe('how clients write bodies', () => {
  test('one frame a write', async () => {
    const client = await open()
    const one = push()
    const [first, second] = split(Buffer.from(one.body), 2)
    await client.writeApart(
      headers(1, headerBlock(one.fields), END_HEADERS),
      data(1, first!, 0),
      data(1, second!),
    )
    await expectShown(client, one)
  })

  test('one byte a write', async () => {
    const client = await open()
    const one = push()
    const bytes = Buffer.concat([headers(1, headerBlock(one.fields), END_HEADERS), data(1, one.body)])
    await client.writeApart(...Array.from(bytes, (byte) => Buffer.of(byte)))
    await expectShown(client, one)
  })

  test('a body of many DATA frames, with empty ones between', async () => {
    const client = await open()
    const one = push()
    const parts = Array.from(one.body, (letter, index) =>
      data(1, letter, index === one.body.length - 1 ? END_STREAM : 0),
    )
    client.write(headers(1, headerBlock(one.fields), END_HEADERS), data(1, '', 0), ...parts)
    await expectShown(client, one)
  })

  test('END_STREAM on an empty DATA frame (Go, undici)', async () => {
    const client = await open()
    const one = push()
    client.write(headers(1, headerBlock(one.fields), END_HEADERS), data(1, one.body, 0), data(1, ''))
    await expectShown(client, one)
  })

  test('trailers behind the body', async () => {
    const client = await open()
    const one = push()
    client.write(
      headers(1, headerBlock(one.fields), END_HEADERS),
      data(1, one.body, 0),
      headers(1, headerBlock([['x-checksum', '1']]), END_HEADERS | END_STREAM),
    )
    await expectShown(client, one)
  })

  test('streams in between, numbers left out', async () => {
    const client = await open()
    const [first, second, third] = [push(), push(), push()]
    client.write(
      headers(1, headerBlock(first.fields), END_HEADERS),
      headers(9, headerBlock(second.fields), END_HEADERS),
      headers(101, headerBlock(third.fields), END_HEADERS),
      data(101, third.body),
      data(1, first.body),
      data(9, second.body),
    )
    await expectShown(client, first, 1)
    await expectShown(client, second, 9)
    await expectShown(client, third, 101)
  })

  test('content-length that fits; one that does not is a broken stream, not a broken connection', async () => {
    const client = await open()
    const one = push()
    const lengthOf = (length: number): Field[] => [...one.fields, ['content-length', String(length)]]
    client.write(headers(1, headerBlock(lengthOf(one.body.length + 1)), END_HEADERS), data(1, one.body))
    await expect(client.answer(1)).rejects.toThrow('reset: 1')
    client.write(headers(3, headerBlock(lengthOf(one.body.length)), END_HEADERS), data(3, one.body))
    await expectShown(client, one, 3)
  })

  test('a request that is cancelled as soon as it is sent is shown all the same', async () => {
    const client = await open()
    const one = push()
    client.write(headers(1, headerBlock(one.fields), END_HEADERS), data(1, one.body), rst(1))
    await app.waitFor(({ payload }) => JSON.stringify(payload) === one.body)
    client.write(ping())
    await client.until('the PING’s answer', () => client.frames.find(({ type }) => type === TYPE.PING))
  })
})

describe('how clients read', () => {
  test('a window of nothing: the answer’s body waits for WINDOW_UPDATE, and comes in one DATA frame', async () => {
    const client = await open([[4, 0]])
    const wrong = push({ 'apns-priority': '11' })
    client.write(headers(1, headerBlock(wrong.fields), END_HEADERS), data(1, wrong.body), ping())
    await client.until('the PING’s answer', () => client.frames.find(({ type }) => type === TYPE.PING))
    await client.until('HEADERS', () =>
      client.frames.find(({ type, id }) => type === TYPE.HEADERS && id === 1),
    )
    expect(client.frames.filter(({ type }) => type === TYPE.DATA)).toEqual([])
    // A push that is accepted has no body, and so nothing to wait for.
    const good = push()
    client.write(headers(3, headerBlock(good.fields), END_HEADERS), data(3, good.body))
    await expectShown(client, good, 3)
    client.write(windowUpdate(1, 1000))
    expect(await client.answer(1)).toMatchObject({
      status: '400',
      body: '{"reason":"BadPriority"}',
      dataFrames: 1,
    })
  })

  test('no table on the client’s side: answers do without', async () => {
    const client = await open([[1, 0]])
    for (const id of [1, 3, 5]) {
      const one = push()
      client.write(headers(id, headerBlock(one.fields), END_HEADERS), data(id, one.body))
      await expectShown(client, one, id)
    }
  })

  test('an error is HEADERS and exactly one DATA frame that ends the stream; success is HEADERS alone', async () => {
    const client = await open()
    const [good, bad] = [push(), push({ ':path': `/3/device/${'ab'.repeat(32)}` })]
    client.write(headers(1, headerBlock(good.fields), END_HEADERS), data(1, good.body))
    client.write(headers(3, headerBlock(bad.fields), END_HEADERS), data(3, bad.body))
    await Promise.all([client.answer(1), client.answer(3)])
    const shapes = [1, 3].map((id) =>
      client.frames.filter((one) => one.id === id).map(({ type, flags }) => [type, flags & END_STREAM]),
    )
    expect(shapes).toEqual([
      [[TYPE.HEADERS, END_STREAM]],
      [
        [TYPE.HEADERS, 0],
        [TYPE.DATA, END_STREAM],
      ],
    ])
  })
})
