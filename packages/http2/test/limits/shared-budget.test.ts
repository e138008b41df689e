import { describe, expect, test } from 'vitest'
import { data, END_HEADERS, headers, openRequest, requestBlock, rst, TestServer } from '../peer.ts'

describe('a budget that connections share', () => {
  const size = 600

  test('unfinished requests count with headers and bodies until they are whole, reset or their connection ends', () => {
    const budget = { bytes: 0, bytesMax: 1_000_000 }
    const [first, second] = [new TestServer({ budget }).open(), new TestServer({ budget }).open()]
    first.receive(openRequest)
    const ofHeaders = budget.bytes
    expect(ofHeaders).toBeGreaterThan(100)
    first.receive(data(1, 'x'.repeat(size), 0))
    second.receive(openRequest)
    expect(budget.bytes).toBeGreaterThan(2 * ofHeaders + size - 1)
    first.receive(data(1, 'y'))
    expect(first.events.at(-1)).toMatch(/^request 1 .*x{600}y\]$/)
    expect(budget.bytes).toBe(ofHeaders)
    second.receive(rst(1))
    expect(budget.bytes).toBe(0)
    second.receive(headers(3, requestBlock(), END_HEADERS), data(3, 'z', 0))
    second.connection.transportClosed()
    expect(budget.bytes).toBe(0)
  })

  test('the request that goes above it is reset, also for its headers alone', () => {
    const budget = { bytes: 0, bytesMax: 1500 }
    const server = new TestServer({ budget }).open()
    server.receive(openRequest, data(1, 'x'.repeat(1000), 0), data(1, 'y'.repeat(1000), 0))
    expect(server.wrote()).toEqual(['RST_STREAM 1 ENHANCE_YOUR_CALM'])
    budget.bytes = 1500
    server.receive(headers(3, requestBlock(), END_HEADERS))
    expect(server.wrote()).toEqual(['RST_STREAM 3 ENHANCE_YOUR_CALM'])
    expect(budget.bytes).toBe(1500)
  })

  test('a connection that left it is bound by its own limits alone', () => {
    const budget = { bytes: 0, bytesMax: 1500 }
    const server = new TestServer({ budget }).open()
    server.receive(openRequest, data(1, 'x'.repeat(500), 0))
    server.connection.leaveBudget()
    expect(budget.bytes).toBe(0)
    server.receive(data(1, 'y'.repeat(4000), 0), data(1, 'z'))
    expect(server.events).toHaveLength(1)
    expect(budget.bytes).toBe(0)
  })
})
