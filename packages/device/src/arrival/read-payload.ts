import { type Payload, utf8Text } from '@carillon/wire'

/** The JSON object that a provider sent. The gateway lets nothing else in; a foreign courier's is shown as nothing. */
export function readPayload(bytes: Uint8Array): Payload {
  try {
    const payload: unknown = JSON.parse(utf8Text(bytes))
    if (typeof payload === 'object' && payload !== null && !Array.isArray(payload)) return payload as Payload
  } catch {
    // No JSON is no object either.
  }
  return {}
}
