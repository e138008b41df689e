import { DeviceError } from '@carillon/device'
import { type Output, reportFailure } from './output.ts'

/** Asks again for as long as the push service is away (`unanswered`), and says so: that is what a daemon is for. */
export async function untilAnswered(
  unanswered: DeviceError['code'],
  ask: () => Promise<void>,
  output: Output,
): Promise<void> {
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof DeviceError && error.code === unanswered)) throw error
      reportFailure(error, output.json)
    }
  }
}
