import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** A TCP proxy to wherever `port` says at the time; each connection may have a number of bytes after which it breaks. */
export class CuttingProxy {
  connections = 0
  /** Bytes towards the service that pass on a connection before both its sides are reset. */
  bytesUntilCut: (connection: number) => number = () => Number.POSITIVE_INFINITY
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(port: () => number) {
    this.#server = createServer((from) => this.#serve(from, connect(port(), '127.0.0.1')))
  }

  static async start(port: () => number): Promise<CuttingProxy> {
    const proxy = new CuttingProxy(port)
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  close(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  #serve(from: Socket, to: Socket): void {
    const most = this.bytesUntilCut(this.connections++)
    let passed = 0
    const cut = () => {
      from.resetAndDestroy()
      to.resetAndDestroy()
    }
    for (const socket of [from, to]) {
      this.#sockets.add(socket)
      socket.on('error', cut)
      socket.once('close', () => this.#sockets.delete(socket))
    }
    to.pipe(from)
    from.on('data', (bytes: Buffer) => {
      const room = most - passed
      passed += bytes.length
      to.write(bytes.subarray(0, Math.max(0, room)), () => {
        if (passed > most) cut()
      })
    })
    from.on('end', () => to.end())
  }
}
