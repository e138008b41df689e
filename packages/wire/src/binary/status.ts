/**
 * Status codes of the binary error packet, one row each, with the gateway reason that means the same.
 * Codes and meanings: Apple, "Binary Provider API" (archived), table of error response codes.
 */
export const binaryStatuses = {
  noErrors: { code: 0, meaning: 'no errors', gatewayReason: undefined },
  processingError: { code: 1, meaning: 'processing error', gatewayReason: 'InternalServerError' },
  missingDeviceToken: { code: 2, meaning: 'missing device token', gatewayReason: 'MissingDeviceToken' },
  missingTopic: { code: 3, meaning: 'missing topic', gatewayReason: 'MissingTopic' },
  missingPayload: { code: 4, meaning: 'missing payload', gatewayReason: 'PayloadEmpty' },
  invalidTokenSize: { code: 5, meaning: 'invalid token size', gatewayReason: 'BadDeviceToken' },
  invalidTopicSize: { code: 6, meaning: 'invalid topic size', gatewayReason: 'BadTopic' },
  invalidPayloadSize: { code: 7, meaning: 'invalid payload size', gatewayReason: 'PayloadTooLarge' },
  /** Of another environment or topic, or unknown. */
  invalidToken: { code: 8, meaning: 'invalid token', gatewayReason: 'DeviceTokenNotForTopic' },
  /** The identifier is the last one that was accepted, not the one that failed. */
  shutdown: { code: 10, meaning: 'shutdown', gatewayReason: 'Shutdown' },
  protocolError: { code: 128, meaning: 'protocol error, could not be parsed', gatewayReason: undefined },
  none: { code: 255, meaning: 'none (unknown)', gatewayReason: undefined },
} as const satisfies Record<string, { code: number; meaning: string; gatewayReason: string | undefined }>

/** Readable name of a status. */
export type BinaryStatusName = keyof typeof binaryStatuses

/** The name for a code, `undefined` for a code that Apple's table does not have. */
export function binaryStatusName(code: number): BinaryStatusName | undefined {
  for (const [name, row] of Object.entries(binaryStatuses)) {
    if (row.code === code) return name as BinaryStatusName
  }
  return undefined
}

/** What can be wrong with a binary notification by its bytes alone, and the status that says so. */
export const binaryProblems = {
  unknownCommand: { status: 'protocolError', meaning: 'the command is not 0, 1 or 2' },
  frameTooLong: { status: 'protocolError', meaning: 'the frame is longer than all items could be' },
  itemOverrun: { status: 'protocolError', meaning: 'an item reaches beyond its frame' },
  unknownItem: { status: 'protocolError', meaning: 'an item id is not 1 to 5' },
  itemLength: { status: 'protocolError', meaning: 'identifier, expiration or priority of a wrong length' },
  duplicateItem: { status: 'protocolError', meaning: 'an item comes twice' },
  tokenMissing: { status: 'missingDeviceToken', meaning: 'there is no token item' },
  /** Answered with identifier 0 whatever was sent, as Apple's gateway was seen to do. */
  tokenEmpty: { status: 'missingDeviceToken', meaning: 'the token has no bytes' },
  tokenLength: { status: 'invalidTokenSize', meaning: 'no token has this length' },
  payloadMissing: { status: 'missingPayload', meaning: 'there is no payload, or one of no bytes' },
  payloadLength: { status: 'invalidPayloadSize', meaning: 'the payload is over the limit' },
  // Unverified against Apple: the status for a priority other than 10 and 5.
  priorityUnknown: { status: 'processingError', meaning: 'the priority is neither 10 nor 5' },
} as const satisfies Record<string, { status: BinaryStatusName; meaning: string }>

export type BinaryProblemName = keyof typeof binaryProblems
