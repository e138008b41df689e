import { isTopicSyntax, type MdmPayload } from '@carillon/wire'
import { ArgumentError } from '../errors.ts'
import { type BuilderOptions, type BuiltNotification, finish } from './build.ts'
import { checkOptions } from './check-options.ts'

/** For {@link mdm}. */
export interface MdmOptions extends Omit<BuilderOptions, 'bundleId' | 'data' | 'aps'> {
  /** The UID in the subject of the MDM push certificate: `com.apple.mgmt.External.…`. */
  readonly topic: string
  /** As the device gave it when it enrolled. */
  readonly pushMagic: string
}

/** Asks a managed device to contact its MDM server, at priority 10. */
export const mdm = (options: MdmOptions): BuiltNotification<'mdm'> => {
  checkOptions(options)
  const { topic, pushMagic } = options
  if (typeof topic !== 'string' || !isTopicSyntax(topic)) {
    throw new ArgumentError('topic', 'give the UID in the subject of the MDM push certificate')
  }
  const payload: MdmPayload = { mdm: pushMagic }
  return finish('mdm', topic, payload, options, { priority: 10 })
}
