import type { CourierSender, FieldRow, MessageRow } from './message-row.ts'
import { type CourierMessageType, courierMessages, type UnusableMessage } from './messages.ts'

/** A row of the message table, made ready for the codecs. */
export interface CompiledMessage {
  readonly type: CourierMessageType
  readonly command: number
  /** In the order of the table, which is the order on the wire. */
  readonly fields: readonly CompiledField[]
  /** By ascending id, the order of packed frames. */
  readonly ascending: readonly CompiledField[]
  readonly required: readonly string[]
  /** By field id. */
  readonly byId: readonly (CompiledField | undefined)[]
}

export interface CompiledField extends FieldRow {
  readonly name: string
}

function compile(type: CourierMessageType, row: MessageRow): CompiledMessage {
  const fields = Object.entries(row.fields).map(([name, field]): CompiledField => ({ name, ...field }))
  const byId: (CompiledField | undefined)[] = new Array(256).fill(undefined)
  for (const field of fields) byId[field.id] = field
  const required = fields.filter((field) => field.required).map((field) => field.name)
  const ascending = byId.filter((field) => field !== undefined)
  return { type, command: row.command, fields, ascending, required, byId }
}

const byType = new Map<string, CompiledMessage>()
const byCommand: Record<CourierSender, (CompiledMessage | undefined)[]> = {
  device: new Array(256).fill(undefined),
  courier: new Array(256).fill(undefined),
}

for (const [type, row] of Object.entries(courierMessages) as [CourierMessageType, MessageRow][]) {
  const compiled = compile(type, row)
  byType.set(type, compiled)
  if (row.from !== 'courier') byCommand.device[row.command] = compiled
  if (row.from !== 'device') byCommand.courier[row.command] = compiled
}

export function compiledOf(type: CourierMessageType): CompiledMessage {
  return byType.get(type)!
}

/** The row for a command in one direction, `undefined` where that direction does not know it. */
export function compiledFor(command: number, from: CourierSender): CompiledMessage | undefined {
  return byCommand[from][command]
}

/** What stands for a decoded message that lacks a required field, `undefined` where it lacks none. */
export function missingField(
  row: CompiledMessage,
  message: Readonly<Record<string, unknown>>,
): UnusableMessage | undefined {
  for (const missing of row.required) {
    if (message[missing] === undefined) {
      return { type: 'unusable', command: row.command, message: row.type, missing }
    }
  }
  return undefined
}
