import { SystemError } from './system-error.ts'

/** The sentence behind an error that kept a party from starting; errors of ours pass through. */
export function startFailure(error: unknown): unknown {
  const { code, address, port, fix } = error as NodeJS.ErrnoException & {
    address?: string
    port?: number
    fix?: string
  }
  if (fix !== undefined) return error
  const where = port === undefined ? 'A port' : `Port ${port}${address ? ` on ${address}` : ''}`
  switch (code) {
    case 'EADDRINUSE':
      return new SystemError(
        'PORT_TAKEN',
        `${where} is taken by another program.`,
        'Stop it, or start with --ports auto.',
        error,
      )
    case 'EACCES':
      return new SystemError('PORT_TAKEN', `${where} may not be used.`, 'Start with --ports auto.', error)
    case 'EADDRNOTAVAIL':
      return new SystemError(
        'ADDRESS',
        `${address ?? 'The address'} is not an address of this machine.`,
        'Name another with --host.',
        error,
      )
    default:
      return error
  }
}
