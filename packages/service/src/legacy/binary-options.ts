import { ServiceError } from '../service-error.ts'

/** Where the original protocol leaves room, or changed over the years. */
export interface BinaryOptions {
  /**
   * Payload limit of commands 0 and 1. 256 bytes held until iOS 8; 2048 since then, as for command 2.
   * Topics that end in `.voip` have 4096 in any case but the first.
   */
  readonly unframedPayloadBytesMax: 256 | 2048
  /**
   * What a command 2 without expiration item means: `once`, one attempt and not stored (node-apn leaves the item
   * out exactly then), or `stored`, kept as long as command 0's, which has no room for an expiration.
   */
  readonly missingExpiration: 'once' | 'stored'
}

export const binaryOptionsDefault: BinaryOptions = {
  unframedPayloadBytesMax: 2048,
  missingExpiration: 'once',
}

/** The options with their defaults. @throws ServiceError `OPTION_INVALID` */
export function binaryOptionsOf(given: Partial<BinaryOptions> = {}): BinaryOptions {
  for (const [name, value] of Object.entries(given)) {
    const values: readonly unknown[] | undefined = allowed[name as keyof BinaryOptions]
    if (values?.includes(value) === true || (values !== undefined && value === undefined)) continue
    throw new ServiceError(
      'OPTION_INVALID',
      values === undefined
        ? `There is no option binary.${name}.`
        : `binary.${name} cannot be ${String(value)}.`,
      `Set ${Object.entries(allowed)
        .map(([option, words]) => `binary.${option} to ${words.join(' or ')}`)
        .join(', ')}.`,
    )
  }
  return {
    unframedPayloadBytesMax: given.unframedPayloadBytesMax ?? binaryOptionsDefault.unframedPayloadBytesMax,
    missingExpiration: given.missingExpiration ?? binaryOptionsDefault.missingExpiration,
  }
}

const allowed: { readonly [name in keyof BinaryOptions]: readonly BinaryOptions[name][] } = {
  unframedPayloadBytesMax: [256, 2048],
  missingExpiration: ['once', 'stored'],
}
