import { syncBuiltinESMExports } from 'node:module'
import tls, { type ConnectionOptions, type SecureContext } from 'node:tls'
import type { Routes } from './routes.ts'

type Connect = typeof tls.connect
type Given = [ConnectionOptions, ...unknown[]]

/**
 * Replaces `tls.connect`, through which every client in Node goes: node:http2, node:https, undici, and whoever speaks
 * the binary protocol. Connections to other hosts pass unchanged. Returns how to take it back.
 */
export function redirectAppleHosts(routes: Routes): () => void {
  const original: Connect = tls.connect
  const redirecting = (...args: unknown[]) => {
    const [options, ...rest] = normalised(args)
    return Reflect.apply(original, tls, [redirected(options, routes), ...rest])
  }
  const install = (connect: Connect): void => {
    tls.connect = connect
    // So that `import { connect } from 'node:tls'` gets it, too.
    syncBuiltinESMExports()
  }
  install(redirecting as Connect)
  return () => install(original)
}

/** `tls.connect` takes (options), (port, options), (port, host, options), each with a callback behind. */
function normalised(args: readonly unknown[]): Given {
  const [first, ...others] = args
  if (typeof first === 'object' && first !== null) return [first as ConnectionOptions, ...others]
  const host = typeof others[0] === 'string' ? { host: others.shift() as string } : {}
  const options =
    typeof others[0] === 'object' && others[0] !== null ? (others.shift() as ConnectionOptions) : {}
  return [{ ...options, ...host, port: Number(first) }, ...others]
}

function redirected(options: ConnectionOptions, routes: Routes): ConnectionOptions {
  // A socket that is there already leads where it leads: through a proxy, the name in the handshake tells.
  const host = options.host ?? options.servername
  const address = host === undefined ? undefined : routes.find(host)
  if (address === undefined || options.socket !== undefined) return options
  const { secureContext, ...others } = options
  return {
    ...others,
    ...address,
    ca: routes.ca,
    // The certificate there is for this name, not for Apple's.
    servername: 'localhost',
    checkServerIdentity: (_name, certificate) => tls.checkServerIdentity('localhost', certificate),
    ...(secureContext === undefined ? {} : { secureContext: trusting(secureContext, routes.ca) }),
  }
}

/** A client may have made its context before: then our root is added to what it trusts. */
function trusting(secureContext: SecureContext, ca: string): SecureContext {
  secureContext.context.addCACert(ca)
  return secureContext
}
