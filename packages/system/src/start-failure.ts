import { SystemError } from './system-error.ts'

type ListenError = NodeJS.ErrnoException & { address?: string; port?: number }

/**
 * The sentence behind an error that kept a party from starting. Each party has its own words for a port that it
 * cannot have; here they are the same for all, with the options of the whole system. Others pass through.
 */
export function startFailure(error: unknown): unknown {
  for (
    let origin = error as Error | undefined;
    origin?.message !== undefined;
    origin = origin.cause as Error | undefined
  ) {
    const sentence = listenFailure(origin)
    if (sentence) return sentence
  }
  return error
}

function listenFailure(origin: ListenError): SystemError | undefined {
  const { code, address, port } = origin
  const where = port === undefined ? 'A port' : `Port ${port}${address ? ` on ${address}` : ''}`
  switch (code) {
    case 'EADDRINUSE':
      return new SystemError(
        'PORT_TAKEN',
        `${where} is taken by another program.`,
        'Stop it, or start with --ports auto.',
        origin,
      )
    case 'EACCES':
      // Files have paths; a port that needs more rights has none.
      if (origin.syscall !== 'listen' && origin.syscall !== 'bind') return undefined
      return new SystemError('PORT_TAKEN', `${where} may not be used.`, 'Start with --ports auto.', origin)
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new SystemError(
        'ADDRESS',
        `${address ?? 'The address'} is not an address of this machine.`,
        'Name another with --host.',
        origin,
      )
    default:
      return undefined
  }
}
