/** What can be wrong with bytes or with a value that should become bytes: one row per stable code. */
export const wireErrorCodes = {
  'frame-length-invalid': 'a frame announces a length that no peer can mean',
  'frame-too-long': 'a frame is longer than the limit of this reader',
  'frame-unexpected': 'a frame starts with a command that this stream never carries',
  'field-overrun': 'a field or item reaches beyond the end of its frame',
  'field-too-long': 'a field does not fit its length prefix',
  'value-out-of-range': 'a number does not fit the width of its field',
  'nonce-invalid': 'a connect nonce does not have the layout of a nonce',
  'signature-invalid': 'a connect signature has no tag or no signature',
  'packed-invalid': 'a packed frame breaks the rules of the packed encoding',
  'protobuf-invalid': 'a channel record is not the protobuf that it should be',
  'feedback-tuple-invalid': 'a feedback tuple has a token length that no token has',
  'text-invalid': 'a text is not the hexadecimal or base64 that it should be',
  'certificate-invalid': 'a certificate is not strict DER, or not an X.509 certificate of version 3',
  'certificate-kind-wrong': 'a certificate is well formed but not of the kind that was asked for',
} as const

export type WireErrorCode = keyof typeof wireErrorCodes

/**
 * Bytes are corrupt, or a value cannot be written as bytes. Incomplete input is never an error: decoders
 * return `undefined` for it.
 */
export class WireError extends Error {
  override readonly name = 'WireError'
  readonly code: WireErrorCode

  constructor(code: WireErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}
