import type { Later } from '../admission.ts'

/** The real timer. It does not keep the process alive. */
export const later: Later = (run, ms) => {
  setTimeout(run, ms).unref()
}
