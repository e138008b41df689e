/** The errors of the original have this name, a message that ends with that of their cause, and `cause()`. */
export class VError extends Error {
  readonly jse_shortmsg: string
  readonly jse_cause: Error | undefined

  constructor(message: string, cause?: unknown) {
    const error = cause instanceof Error ? cause : undefined
    super(error === undefined ? message : `${message}: ${error.message}`)
    this.jse_shortmsg = message
    this.jse_cause = error
  }
}

// A method where the class that is extended has a field: TypeScript knows no word for that.
Object.defineProperties(VError.prototype, {
  name: { value: 'VError', writable: true, configurable: true },
  cause: {
    value(this: VError) {
      return this.jse_cause
    },
    writable: true,
    configurable: true,
  },
})
