import { describe, expect, test } from 'vitest'
import {
  ACK,
  frame,
  headers,
  PREFACE,
  requestBlock,
  settings,
  settingsAck,
  TestClient,
  TestServer,
  TYPE,
} from '../peer.ts'

describe('a drain ends, whatever the peer does', () => {
  const open1 = (server: TestServer) => server.receive(headers(1, requestBlock()))
  const pong = (server: TestServer) => {
    const sent = server.frames().find((each) => each.type === TYPE.PING)
    return frame(TYPE.PING, ACK, 0, sent!.payload)
  }

  test('a request that is never answered', () => {
    const server = open1(new TestServer().open())
    server.connection.drain()
    server.receive(pong(server)).pass(29_000)
    expect(server.connection.ended).toBe(false)
    server.pass(3000)
    expect(server.events.at(-1)).toBe('end timeout NO_ERROR')
  })

  test('a client that never answers the PING', () => {
    const server = new TestServer().open()
    server.connection.drain()
    server.pass(22_000)
    expect(server.events).toEqual(['end timeout NO_ERROR'])
  })

  test('a client that goes on sending requests', () => {
    const server = new TestServer().open()
    server.connection.drain()
    server.receive(pong(server))
    const refused = server.receive(headers(1, requestBlock())).wrote()
    expect(server.events).toEqual(['end drained NO_ERROR'])
    expect(refused).toContain('GOAWAY 0 NO_ERROR')
  })

  test('a drain that was asked for before the first tick', () => {
    const server = new TestServer()
    server.connection.drain()
    server.receive(PREFACE, settings(), settingsAck, headers(1, requestBlock()))
    server.receive(pong(server)).pass(32_000)
    expect(server.events.at(-1)).toBe('end timeout NO_ERROR')
  })

  test('a server that never answers', () => {
    const client = new TestClient().open([3, 10])
    client.request('a')
    client.wrote()
    client.connection.drain()
    client.pass(32_000)
    expect(client.events).toEqual(['end timeout NO_ERROR [a]'])
  })
})
