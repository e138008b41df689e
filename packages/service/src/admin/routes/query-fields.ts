import { apnsIdBytes, isApnsId } from '@carillon/wire'
import { z } from '@hono/zod-openapi'
import { decodePosition, type TracePosition } from '../../trace/trace-position.ts'
import { AdminError } from '../admin-error.ts'

/** The query parameters that several routes share. */

export const uuidField = z.string().refine(isApnsId, 'must be a UUID').openapi({ format: 'uuid' })

export const tokenField = z
  .string()
  .regex(/^[0-9a-fA-F]{64}$/, 'must be the 64 hexadecimal digits of a device token')
  .openapi({ example: '00'.repeat(32) })

export const channelField = z
  .string()
  .regex(/^[0-9A-Za-z+/]{22}==$/, 'must be the id of a channel, with every + as %2B')
  .openapi({ example: 'AAECAwQFBgcICQoLDA0ODw==' })

export const timeField = z
  .string()
  .refine((text) => !Number.isNaN(Date.parse(text)), 'must be a time such as 2026-01-31T12:00:00Z')
  .openapi({ format: 'date-time' })

export const cursorField = z
  .string()
  .refine((text) => decodePosition(text) !== undefined, 'must be a cursor that an earlier answer gave')
  .openapi({ example: '1750000000000.42' })

/** How many rows an answer has. */
export function limitField(max: number, usual: number, min = 1) {
  return z
    .string()
    .regex(/^\d{1,6}$/, 'must be a whole number')
    .transform(Number)
    .refine((count) => count >= min && count <= max, `must be from ${min} to ${max}`)
    .default(usual)
    .openapi({ type: 'integer', minimum: min, maximum: max, default: usual })
}

export function positionOf(cursor: string | undefined): TracePosition | undefined {
  return cursor === undefined ? undefined : decodePosition(cursor)
}

export function idBytesOf(id: string | undefined): Uint8Array | undefined {
  return id === undefined ? undefined : apnsIdBytes(id)
}

export function tokenBytesOf(token: string | undefined): Uint8Array | undefined {
  return token === undefined ? undefined : new Uint8Array(Buffer.from(token, 'hex'))
}

export function channelBytesOf(channel: string | undefined): Uint8Array | undefined {
  return channel === undefined ? undefined : new Uint8Array(Buffer.from(channel, 'base64'))
}

/** @throws AdminError where the time ends before it begins */
export function checkTimes(fromMs: number | undefined, toMs: number | undefined): void {
  if (fromMs === undefined || toMs === undefined || fromMs < toMs) return
  throw new AdminError('INVALID_REQUEST', 'from: must be before to.')
}

export function msOf(time: string | undefined): number | undefined {
  return time === undefined ? undefined : Date.parse(time)
}

/** What is asked for is not there. */
export function notFound(sentence: string): AdminError {
  return new AdminError('NOT_FOUND', sentence)
}
