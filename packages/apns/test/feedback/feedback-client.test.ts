import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Issued } from '../../../service/test/certificates.ts'
import { PortsWorld } from '../../../service/test/legacy/ports-world.ts'
import { FeedbackClient, type FeedbackClientOptions, LegacyError } from '../../src/index.ts'

let world: PortsWorld
let certificate: Issued

beforeAll(async () => {
  world = await PortsWorld.start()
})
afterAll(() => world.close())
beforeEach(async () => {
  certificate = await world.certificate()
})

function clientFor(changes: Partial<FeedbackClientOptions> = {}): FeedbackClient {
  return new FeedbackClient({
    auth: { type: 'certificate', cert: certificate.certPem, key: certificate.keyPem },
    environment: 'sandbox',
    ...{ host: 'localhost', port: world.feedbackPort, ca: world.ca.caPem },
    ...changes,
  })
}

async function deactivate(count: number): Promise<string[]> {
  const tokens = await world.tokens(count)
  await Promise.all(tokens.map((token, index) => world.registry.deactivateToken(token, (index + 1) * 1000)))
  return tokens
}

async function read(client = clientFor()): Promise<string[]> {
  const tokens: string[] = []
  for await (const { token } of client) tokens.push(token)
  return tokens
}

async function failureOf(reading: Promise<unknown>): Promise<LegacyError> {
  const error = await reading.then(
    () => undefined,
    (error: unknown) => error,
  )
  expect(error).toBeInstanceOf(LegacyError)
  return error as LegacyError
}

test('reads tokens with their times, and the list is empty then', async () => {
  const tokens = await deactivate(3)
  const told = []
  for await (const gone of clientFor()) told.push(gone)
  expect(told).toEqual(tokens.map((token, index) => ({ token, at: new Date((index + 1) * 1000) })))
  expect(await read()).toEqual([])
})

test('a loop that is left early is told everything again', async () => {
  const tokens = await deactivate(2000)
  for await (const { token } of clientFor()) {
    expect(tokens).toContain(token)
    break
  }
  const failing = async () => {
    for await (const _ of clientFor()) throw new Error('the disk is full')
  }
  await expect(failing()).rejects.toThrow('the disk is full')
  expect((await read()).toSorted()).toEqual(tokens.toSorted())
  expect(await read()).toEqual([])
})

test('a slow loop makes the service wait, and the tokens are cleared only after the last one', async () => {
  const tokens = await deactivate(3000)
  let count = 0
  for await (const _ of clientFor()) {
    count += 1
    if (count === tokens.length) expect(await read()).toHaveLength(tokens.length)
  }
  expect(await read()).toEqual([])
})

describe('through a proxy that cuts', () => {
  let proxy: Server
  let cut: (from: Socket, to: Socket) => void
  /** Bytes of the service that pass before the cut; the handshake takes about four thousand. */
  let bytesMax = 0

  beforeEach(async () => {
    proxy = createServer((from) => {
      const to = connect(world.feedbackPort, '127.0.0.1')
      let passed = 0
      from.on('error', () => {})
      to.on('error', () => {})
      from.pipe(to)
      to.on('data', (bytes) => {
        passed += bytes.length
        if (passed > bytesMax) cut(from, to)
        else from.write(bytes)
      })
    }).listen(0, '127.0.0.1')
    await once(proxy, 'listening')
  })
  afterEach(() => void proxy.close())

  test.each([
    [
      'with a reset',
      (from: Socket, to: Socket) => {
        from.resetAndDestroy()
        to.resetAndDestroy()
      },
    ],
    [
      'by ending both sides',
      (from: Socket, to: Socket) => {
        from.destroy()
        to.destroy()
      },
    ],
  ])('%s, in the middle: nothing is lost', async (_how, how) => {
    const tokens = await deactivate(5000)
    cut = how
    bytesMax = 50_000
    const { port } = proxy.address() as AddressInfo
    // A polite end between two tuples cannot be told from that of the service.
    const told = await read(clientFor({ port })).catch((error: LegacyError) => error.code)
    if (told !== 'CUT_OFF') expect(told.length).toBeLessThan(tokens.length)
    expect((await read()).toSorted()).toEqual(tokens.toSorted())
  })
})

describe('says what is wrong', () => {
  test('nobody listens', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    server.close()
    const error = await failureOf(read(clientFor({ port, host: '127.0.0.1' })))
    expect(error.code).toBe('CONNECT_FAILED')
    expect(error.message).toContain(`127.0.0.1:${port}`)
  })

  test('another authority', async () => {
    const other = await PortsWorld.start()
    try {
      const error = await failureOf(read(clientFor({ ca: other.ca.caPem })))
      expect(error.code).toBe('CONNECT_FAILED')
      expect(error.message).toContain('`ca`')
    } finally {
      await other.close()
    }
  })

  test('a certificate that the service refuses', async () => {
    world.authority.setCertificate(certificate.serial, 'revoked')
    const error = await failureOf(read())
    expect(error.code).toBe('CUT_OFF')
    expect(error.message).toContain('certificate')
  })

  test('a service that says nothing at all', async () => {
    const { certPem: cert, keyPem: key } = await world.ca.server()
    const silent = createTlsServer({ cert, key }, (socket) => socket.on('error', () => {}))
    silent.listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const { port } = silent.address() as AddressInfo
    const error = await failureOf(read(clientFor({ port, silentMsMax: 200 })))
    expect(error).toMatchObject({
      code: 'CUT_OFF',
      message: expect.stringContaining('said nothing for 200 ms'),
    })
    silent.close()
  })

  test('not a service that waits for a loop that takes its time', async () => {
    const tokens = await deactivate(3000)
    const told: string[] = []
    for await (const { token } of clientFor({ silentMsMax: 2000 })) {
      told.push(token)
      if (told.length === 1) await new Promise((resolve) => setTimeout(resolve, 2500))
    }
    expect(told.toSorted()).toEqual(tokens.toSorted())
  })

  test('wrong options, by name', () => {
    const auth = { type: 'token', keyId: 'A', teamId: 'B', privateKey: '' } as never
    expect(() => clientFor({ auth })).toThrow(/auth/)
    expect(() => clientFor({ port: 0 })).toThrow(/port/)
    expect(() => clientFor({ silentMsMax: 0 })).toThrow(/silentMsMax/)
    expect(() => clientFor({ environment: 'test' as never })).toThrow(/environment/)
  })
})
