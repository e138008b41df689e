/*
 * Notifications of the legacy binary interface, commands 0, 1 and 2 of one byte stream without separators.
 * Apple, "Binary Provider API" and "Legacy Notification Format" (both archived). Big-endian.
 *
 *   00 | u16 length | token | u16 length | payload
 *   01 | u32 identifier | u32 expiration | u16 length | token | u16 length | payload
 *   02 | u32 length | items            item:  id u8 | u16 length | value
 */
import { ByteWriter } from '../bytes/byte-writer.ts'
import { readU16, readU32 } from '../bytes/read.ts'
import { binaryFrameBytesMax, binaryPayloadBytesMax, binaryTokenBytesMax } from '../limits.ts'
import { WireError } from '../wire-error.ts'
import { type BinaryProblemName, type BinaryStatusName, binaryProblems } from './status.ts'

/** Items of command 2, one row each. `bytes` is a fixed length. */
export const binaryItems = {
  token: { id: 1, bytes: undefined },
  payload: { id: 2, bytes: undefined },
  identifier: { id: 3, bytes: 4 },
  expiration: { id: 4, bytes: 4 },
  priority: { id: 5, bytes: 1 },
} as const

export interface BinaryNotification {
  type: 'notification'
  command: 0 | 1 | 2
  token: Uint8Array
  /** JSON, not ended by NUL. */
  payload: Uint8Array
  /** u32, echoed in an error. Command 0 has none. */
  identifier: number | undefined
  /** Seconds since 1970, 0 = do not store. Command 0 has none. */
  expiration: number | undefined
  /** 10 or 5; only command 2 can say it, and 10 is meant where nothing is said. */
  priority: number | undefined
}

/** A notification that cannot be taken. Nothing after it counts: answer and close. */
export interface BinaryProblem {
  type: 'problem'
  command: number
  problem: BinaryProblemName
  status: BinaryStatusName
  /** For the error packet; 0 where none was given or read. */
  identifier: number
}

/**
 * One notification by the command it names.
 *
 * @throws WireError `value-out-of-range`, `field-too-long`, or when the command cannot carry a given value
 */
export function encodeBinaryNotification(notification: BinaryNotification): Uint8Array {
  scratch.clear()
  appendBinaryNotification(scratch, notification)
  return scratch.finish()
}

const scratch = new ByteWriter(4352)

/** Writes a notification behind what the writer holds, for several in one write. */
export function appendBinaryNotification(writer: ByteWriter, notification: BinaryNotification): void {
  refuseUnsayable(notification)
  const { command, token, payload, identifier, expiration, priority } = notification
  writer.u8(command)
  if (command === 2) {
    const frame = writer.begin32()
    appendItem(writer, binaryItems.token.id, token)
    appendItem(writer, binaryItems.payload.id, payload)
    if (identifier !== undefined) writer.u8(binaryItems.identifier.id).u16(4).u32(identifier)
    if (expiration !== undefined) writer.u8(binaryItems.expiration.id).u16(4).u32(expiration)
    if (priority !== undefined) writer.u8(binaryItems.priority.id).u16(1).u8(priority)
    writer.end32(frame)
    return
  }
  if (command === 1) writer.u32(identifier ?? 0).u32(expiration ?? 0)
  appendBytes(writer, token)
  appendBytes(writer, payload)
}

function refuseUnsayable({ command, identifier, expiration, priority }: BinaryNotification): void {
  const extra = command === 0 ? (identifier ?? expiration ?? priority) : command === 1 ? priority : undefined
  if (extra === undefined) return
  const carries = command === 0 ? 'token and payload only' : 'no priority'
  throw new WireError('value-out-of-range', `Binary command ${command} carries ${carries}: use command 2`)
}

function appendItem(writer: ByteWriter, id: number, value: Uint8Array): void {
  writer.u8(id)
  appendBytes(writer, value)
}

function appendBytes(writer: ByteWriter, value: Uint8Array): void {
  const mark = writer.begin16()
  writer.raw(value).end16(mark)
}

/** What a service takes. Defaults: tokens of 1 to 100 bytes, payloads of up to 2048 bytes. */
export interface BinaryRules {
  tokenBytesMin?: number
  tokenBytesMax?: number
  payloadBytesMax?: number
  /** For commands 0 and 1, `payloadBytesMax` where absent. */
  payloadBytesMaxUnframed?: number
}

/**
 * The notification at `offset`, or what is wrong with it. `token` and `payload` are views of `bytes`.
 * A length that cannot be taken is reported as soon as it is read, before its bytes are waited for.
 *
 * @returns `undefined` while the notification is incomplete
 */
export function decodeBinaryNotification(
  bytes: Uint8Array,
  offset = 0,
  end: number = bytes.length,
  rules: BinaryRules = {},
): { value: BinaryNotification | BinaryProblem; next: number } | undefined {
  if (end <= offset) return undefined
  const command = bytes[offset]!
  if (command === 2) return decodeFramed(bytes, offset, end, rules)
  if (command === 0 || command === 1) return decodeUnframed(command, bytes, offset, end, rules)
  return problem('unknownCommand', command, 0, end)
}

type Decoded = { value: BinaryNotification | BinaryProblem; next: number }

function decodeUnframed(
  command: 0 | 1,
  bytes: Uint8Array,
  offset: number,
  end: number,
  rules: BinaryRules,
): Decoded | undefined {
  const tokenStart = offset + (command === 0 ? 3 : 11)
  if (end < tokenStart) return undefined
  const identifier = command === 0 ? undefined : readU32(bytes, offset + 1)
  const expiration = command === 0 ? undefined : readU32(bytes, offset + 5)
  const tokenEnd = tokenStart + readU16(bytes, tokenStart - 2)
  const wrongToken = tokenProblem(tokenEnd - tokenStart, rules)
  if (wrongToken) return problem(wrongToken, command, identifier, end)
  const payloadStart = tokenEnd + 2
  if (end < payloadStart) return undefined
  const next = payloadStart + readU16(bytes, tokenEnd)
  const wrongPayload = payloadProblem(
    next - payloadStart,
    rules.payloadBytesMaxUnframed ?? rules.payloadBytesMax,
  )
  if (wrongPayload) return problem(wrongPayload, command, identifier, end)
  if (end < next) return undefined
  const token = bytes.subarray(tokenStart, tokenEnd)
  const payload = bytes.subarray(payloadStart, next)
  const priority = undefined
  return { value: { type: 'notification', command, token, payload, identifier, expiration, priority }, next }
}

function decodeFramed(
  bytes: Uint8Array,
  offset: number,
  end: number,
  rules: BinaryRules,
): Decoded | undefined {
  if (end - offset < 5) return undefined
  const length = readU32(bytes, offset + 1)
  if (length > binaryFrameBytesMax) return problem('frameTooLong', 2, 0, end)
  const next = offset + 5 + length
  if (end < next) return undefined
  const items = decodeItems(bytes, offset + 5, next)
  const { token, payload, identifier, expiration, priority } = items
  const wrong =
    items.wrong ??
    (token === undefined ? 'tokenMissing' : tokenProblem(token.length, rules)) ??
    payloadProblem(payload?.length ?? 0, rules.payloadBytesMax) ??
    (priority === undefined || priority === 10 || priority === 5 ? undefined : 'priorityUnknown')
  if (wrong || !token || !payload) return problem(wrong ?? 'tokenMissing', 2, identifier, next)
  return {
    value: { type: 'notification', command: 2, token, payload, identifier, expiration, priority },
    next,
  }
}

interface Items {
  token: Uint8Array | undefined
  payload: Uint8Array | undefined
  identifier: number | undefined
  expiration: number | undefined
  priority: number | undefined
  wrong: BinaryProblemName | undefined
}

/**
 * All items, and what is wrong with the first that is malformed. Those behind it are read too, as far as their
 * lengths can be believed: the identifier that the error packet echoes may stand anywhere in the frame.
 */
function decodeItems(bytes: Uint8Array, start: number, end: number): Items {
  const items: Items = {
    token: undefined,
    payload: undefined,
    identifier: undefined,
    expiration: undefined,
    priority: undefined,
    wrong: undefined,
  }
  for (let offset = start; offset < end; ) {
    const valueStart = offset + 3
    const valueEnd = valueStart <= end ? valueStart + readU16(bytes, offset + 1) : valueStart
    const wrong =
      valueEnd > end ? 'itemOverrun' : readItem(items, bytes, bytes[offset]!, valueStart, valueEnd)
    items.wrong ??= wrong
    offset = valueEnd
  }
  return items
}

function readItem(
  items: Items,
  bytes: Uint8Array,
  id: number,
  start: number,
  end: number,
): BinaryProblemName | undefined {
  const name = binaryItemNames[id]
  if (name === undefined) return 'unknownItem'
  const width = binaryItems[name].bytes
  if (width !== undefined && end - start !== width) return 'itemLength'
  if (items[name] !== undefined) return 'duplicateItem'
  if (name === 'token' || name === 'payload') items[name] = bytes.subarray(start, end)
  else items[name] = width === 1 ? bytes[start] : readU32(bytes, start)
  return undefined
}

const binaryItemNames: readonly (keyof typeof binaryItems | undefined)[] = [
  undefined,
  'token',
  'payload',
  'identifier',
  'expiration',
  'priority',
]

function tokenProblem(length: number, rules: BinaryRules): BinaryProblemName | undefined {
  if (length === 0) return 'tokenEmpty'
  const fits = length >= (rules.tokenBytesMin ?? 1) && length <= (rules.tokenBytesMax ?? binaryTokenBytesMax)
  return fits ? undefined : 'tokenLength'
}

function payloadProblem(length: number, max = binaryPayloadBytesMax): BinaryProblemName | undefined {
  if (length === 0) return 'payloadMissing'
  return length > max ? 'payloadLength' : undefined
}

function problem(name: BinaryProblemName, command: number, identifier = 0, next: number): Decoded {
  const { status } = binaryProblems[name]
  // Seen on Apple's gateway: a token without bytes is answered with identifier 0, not with the real one.
  const echoed = name === 'tokenEmpty' ? 0 : identifier
  return { value: { type: 'problem', command, problem: name, status, identifier: echoed }, next }
}
