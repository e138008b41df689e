import type { IncomingMessage } from 'node:http'
import { Agent, request } from 'node:https'
import { PortalError, type PortalErrorCode, portalErrorStatus } from '../errors.ts'
import { limits } from '../limits.ts'

export interface PortalTransport {
  /** Sends JSON and gives the JSON of the answer. Errors of the portal come back as `PortalError`. */
  call<Answer>(method: string, path: string, body?: unknown): Promise<Answer>
  /** GET of bytes. */
  download(path: string): Promise<Uint8Array>
  close(): Promise<void>
}

export interface PortalTransportOptions {
  readonly url: string
  readonly caPem: string
  readonly adminKey: string
}

/** HTTPS to a portal, trusting its root certificate and no other. */
export function portalTransport(options: PortalTransportOptions): PortalTransport {
  const agent = new Agent({ keepAlive: true, ca: options.caPem, minVersion: 'TLSv1.2' })
  const base = parseUrl(options.url)

  async function exchange(method: string, path: string, body?: unknown): Promise<Buffer> {
    const text = body === undefined ? undefined : JSON.stringify(body)
    let answer: { status: number; body: Buffer }
    try {
      answer = await send(new URL(path, base), { method, agent, adminKey: options.adminKey, text })
    } catch (cause) {
      throw unreachable(options.url, cause)
    }
    if (answer.status < 300) return answer.body
    throw refusal(options.url, answer)
  }

  return {
    async call<Answer>(method: string, path: string, body?: unknown) {
      return parseJson(options.url, await exchange(method, path, body)) as Answer
    },
    async download(path) {
      return new Uint8Array(await exchange('GET', path))
    },
    async close() {
      agent.destroy()
    },
  }
}

interface Outgoing {
  readonly method: string
  readonly agent: Agent
  readonly adminKey: string
  readonly text: string | undefined
}

function send(
  url: URL,
  { method, agent, adminKey, text }: Outgoing,
): Promise<{ status: number; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${adminKey}`,
      ...(text === undefined ? {} : { 'content-type': 'application/json' }),
    }
    const outgoing = request(url, { method, agent, headers, timeout: limits.clientTimeoutMs })
    outgoing.on('timeout', () => outgoing.destroy(new Error('it does not answer')))
    outgoing.on('error', reject)
    outgoing.on('response', (response) => {
      readAll(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject)
    })
    outgoing.end(text)
  })
}

async function readAll(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of response) {
    length += chunk.length
    if (length > limits.answerBytesMax) throw new Error('its answer is too long')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function parseUrl(url: string): URL {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed?.protocol === 'https:') return parsed
  throw new PortalError(
    'REQUEST_INVALID',
    `"${url}" is not the address of a portal.`,
    'Give https://HOST:PORT.',
  )
}

function parseJson(url: string, body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch (cause) {
    throw unreachable(url, cause)
  }
}

/** The portal's own error, rebuilt; where the answer is not one, another program answers at this address. */
function refusal(url: string, answer: { status: number; body: Buffer }): PortalError {
  const body = parseJson(url, answer.body) as { error?: { code?: string; message?: string; fix?: string } }
  const { code = '', message = `It answered with status ${answer.status}.`, fix = '' } = body.error ?? {}
  const known = code in portalErrorStatus ? (code as PortalErrorCode) : 'INTERNAL'
  return new PortalError(known, message, fix)
}

function unreachable(url: string, cause: unknown): PortalError {
  const code = (cause as NodeJS.ErrnoException | undefined)?.code ?? ''
  const certificate = /CERT|SIGNATURE|ISSUER|ALTNAME/.test(code)
  const reason =
    code === 'ECONNREFUSED'
      ? 'nothing listens there'
      : certificate
        ? 'its certificate was not issued by this portal’s CA'
        : cause instanceof SyntaxError
          ? 'its answer is not that of a portal'
          : cause instanceof Error
            ? cause.message
            : 'unknown error'
  return new PortalError(
    'UNREACHABLE',
    `The portal at ${url} cannot be used: ${reason}.`,
    certificate
      ? 'Use the root certificate of the data directory that this portal runs on.'
      : 'Check that the system is running, and its address.',
    cause,
  )
}
