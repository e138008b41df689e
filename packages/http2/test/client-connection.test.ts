import { expect, test } from 'vitest'
import { ClientConnection } from '../src/index.ts'
import {
  ACK,
  data,
  END_HEADERS,
  frame,
  goaway,
  headers,
  REQUEST,
  responseBlock,
  rst,
  settings,
  TestClient,
  TYPE,
  windowUpdate,
} from './peer.ts'

const OK = (id: number) => headers(id, responseBlock())

test('waits for the SETTINGS of the server, then tells of capacity', () => {
  const client = new TestClient()
  expect(client.request('a')).toBe(-1)
  client.receive(settings([3, 2]))
  expect(client.events).toEqual(['capacity'])
  expect(client.connection.availableStreams).toBe(2)
  expect([client.request('a'), client.request('b'), client.request('c')]).toEqual([1, 3, -1])
  client.receive(OK(1))
  expect(client.events).toEqual(['capacity', 'response a 200 []', 'capacity'])
})

test('streamsBeforeSettings lets requests go with the preface', () => {
  const client = new TestClient({ streamsBeforeSettings: 2 })
  expect([client.request('a'), client.request('b'), client.request('c')]).toEqual([1, 3, -1])
})

test('capacity is told once a chunk, after all its answers, and only after there was none', () => {
  const client = new TestClient().open([3, 2])
  client.request('a')
  client.receive(OK(1))
  expect(client.events).toEqual(['response a 200 []'])
  client.request('b')
  client.request('c')
  client.receive(OK(3), OK(5))
  expect(client.events.slice(1)).toEqual(['response b 200 []', 'response c 200 []', 'capacity'])
})

test('requests made inside onCapacity and onResponse', () => {
  const client = new TestClient().open([3, 1])
  client.onCapacity = () => {
    client.request('next')
  }
  client.request('first')
  client.receive(OK(1))
  client.receive(OK(3))
  expect(client.events.filter((event) => event.startsWith('response'))).toEqual([
    'response first 200 []',
    'response next 200 []',
  ])
})

test('a request is HEADERS and one DATA, or HEADERS alone', () => {
  const client = new TestClient().open([3, 10])
  client.request('a', '{"aps":{}}')
  client.request('b')
  expect(client.wrote()).toEqual(['HEADERS 1', 'DATA 1 10 END_STREAM', 'HEADERS 3 END_STREAM'])
})

test('a body beyond the windows: no further request until it has left', () => {
  const client = new TestClient().open([3, 10])
  client.request('a', 'x'.repeat(60_000))
  client.request('b', 'y'.repeat(10_000))
  expect(client.request('c')).toBe(-1)
  client.receive(windowUpdate(0, 100_000))
  expect(client.events).toEqual(['capacity'])
  expect(client.wrote().at(-1)).toBe('DATA 3 10000 END_STREAM')
  expect(client.request('c')).toBe(5)
})

test('text is sent as UTF-8, at once and where it has to wait', () => {
  const text = 'Grüße 👋 \ud800'
  const bytes = Buffer.from(text)
  for (const window of [bytes.length * 3, bytes.length, 0]) {
    const client = new TestClient().open([3, 10], [4, window])
    client.connection.request(REQUEST.flat(), text, 'a')
    client.receive(settings([4, 100]))
    const sent = client.frames().filter(({ type }) => type === TYPE.DATA)
    expect(sent.map(({ payload }) => payload)).toEqual([bytes])
    client.connection.request(REQUEST.flat(), '', 'b')
    expect(client.wrote()).toEqual(['HEADERS 3 END_STREAM'])
  }
})

test('the body is copied where it has to wait', () => {
  const client = new TestClient().open([3, 10], [4, 0])
  const body = Buffer.from('before')
  client.connection.request(REQUEST.flat(), body, 'a')
  body.write('AFTER!')
  client.receive(settings([4, 100]))
  expect(client.frames().at(-2)!.payload.toString()).toBe('before')
})

test('an answer before the body has left: the rest is given up', () => {
  const client = new TestClient().open([3, 10], [4, 10])
  client.request('a', 'x'.repeat(50_000))
  client.wrote()
  client.receive(headers(1, responseBlock(), END_HEADERS), data(1, 'no'))
  expect(client.events).toEqual(['response a 200 [no]', 'capacity'])
  expect(client.wrote()).toEqual(['RST_STREAM 1 CANCEL'])
  client.receive(rst(1, 0))
  expect(client.connection.availableStreams).toBe(10)
})

test('cancel: RST_STREAM(CANCEL), and no call whatever still arrives', () => {
  const client = new TestClient().open([3, 1])
  client.request('a')
  client.connection.cancel(1)
  client.connection.cancel(1)
  expect(client.wrote()).toEqual(['HEADERS 1 END_STREAM', 'RST_STREAM 1 CANCEL'])
  client.receive(headers(1, responseBlock(), END_HEADERS), data(1, 'late'))
  expect(client.wrote()).toEqual([])
  expect(client.events).toEqual(['capacity'])
})

test('GOAWAY in the middle: below is answered, above is safe to send again, no new requests', () => {
  const client = new TestClient().open([3, 10])
  for (const context of ['a', 'b', 'c', 'd']) client.request(context)
  client.receive(goaway(3, 0, '{"reason":"Shutdown"}'), OK(1))
  expect(client.request('e')).toBe(-1)
  client.receive(OK(3))
  expect(client.events).toEqual([
    'goaway NO_ERROR 3 {"reason":"Shutdown"}',
    'refused c',
    'refused d',
    'response a 200 []',
    'response b 200 []',
    'end peerGoaway NO_ERROR []',
  ])
})

test('a first GOAWAY that names no stream, then the one that does (RFC 9113 §6.8)', () => {
  const client = new TestClient().open([3, 10])
  client.request('a')
  client.request('b')
  client.receive(goaway(0x7fffffff), OK(1), goaway(1))
  expect(client.events).toEqual([
    'goaway NO_ERROR 2147483647 ',
    'response a 200 []',
    'goaway NO_ERROR 1 ',
    'refused b',
    'end peerGoaway NO_ERROR []',
  ])
})

test('the connection breaks: each request is told exactly once, those never written are safe', () => {
  const client = new TestClient().open([3, 10])
  client.request('answered')
  client.request('written')
  client.wrote()
  client.request('still here')
  client.receive(OK(1))
  client.connection.transportClosed(new Error('ECONNRESET'))
  expect(client.events).toEqual([
    'response answered 200 []',
    'refused still here',
    'end transportError NO_ERROR [written]',
  ])
})

test('close: GOAWAY; what was not written does not leave any more', () => {
  const client = new TestClient().open([3, 10])
  client.request('written')
  client.wrote()
  client.request('still here')
  client.connection.close()
  expect(client.wrote()).toEqual(['GOAWAY 0 NO_ERROR'])
  expect(client.events).toEqual(['refused still here', 'end closed NO_ERROR [written]'])
  expect(client.request('later')).toBe(-1)
})

test('drain: open requests finish, then GOAWAY', () => {
  const client = new TestClient().open([3, 10])
  client.request('a')
  client.wrote()
  client.connection.drain()
  expect(client.request('b')).toBe(-1)
  client.receive(OK(1))
  expect(client.wrote()).toEqual(['GOAWAY 0 NO_ERROR'])
  expect(client.events).toEqual(['response a 200 []', 'end drained NO_ERROR []'])
})

test('the server lowers its limit: open requests stay, new ones wait', () => {
  const client = new TestClient().open([3, 3])
  for (const context of ['a', 'b', 'c']) client.request(context)
  client.receive(settings([3, 1]), OK(1))
  expect(client.connection.availableStreams).toBe(0)
  client.receive(rst(3, 7), OK(5))
  expect(client.events).toEqual(['response a 200 []', 'refused b', 'response c 200 []', 'capacity'])
})

test('headers that cannot be sent throw, and leave no trace', () => {
  const client = new TestClient().open([3, 3])
  expect(() => client.request('a', undefined, [':method', 'GET', 'x', 'a\nb'])).toThrow(
    expect.objectContaining({ name: 'Http2UsageError', code: 'INVALID_HEADER' }),
  )
  expect(client.connection.openStreams).toBe(0)
  expect(client.request('b')).toBe(1)
  expect(client.wrote()).toEqual(['HEADERS 1 END_STREAM'])
})

test('the debug data of a GOAWAY stays what it was when the receive buffer is used again', () => {
  let kept: Uint8Array | undefined
  const connection = new ClientConnection<string>(
    {},
    {
      onResponse: () => {},
      onReset: () => {},
      onRefused: () => {},
      onCapacity: () => {},
      onGoaway: (_code, debugData) => {
        kept = debugData
      },
      onEnd: () => {},
    },
  )
  const bytes = Buffer.concat([settings(), goaway(0, 0, 'Shutdown')])
  connection.receive(bytes, 1000)
  bytes.fill(0)
  expect(Buffer.from(kept!).toString()).toBe('Shutdown')
})

test('an answer on a stream older than the acknowledgement of a small window is let through to its end', () => {
  const client = new TestClient({ settings: { initialWindowSize: 10 }, streamsBeforeSettings: 1 })
  client.request('a')
  // The server learns of the small window between opening its answer and sending its body.
  client.receive(settings(), frame(TYPE.SETTINGS, ACK, 0), headers(1, responseBlock(), END_HEADERS))
  client.connection.takeOutput()
  client.receive(data(1, 'x'.repeat(10), 0))
  expect(client.wrote()).toEqual(['WINDOW_UPDATE 1 10'])
  client.receive(data(1, 'end'))
  expect(client.events.at(-1)).toBe(`response a 200 [${'x'.repeat(10)}end]`)
})
