import { CliError } from '../cli-error.ts'

/** One line of the story: what a party did, as that party itself confirmed it. */
export interface StepResult {
  /** What really happened: file, port, id. */
  readonly detail: string
  /** Lines to show below, such as a banner. */
  readonly picture?: readonly string[]
}

export type Party = 'portal' | 'provider' | 'service' | 'device' | 'app'

export interface Step<Context> {
  readonly party: Party
  readonly title: string
  run(context: Context): Promise<StepResult>
}

/** What the story tells while it runs. */
export interface StoryTeller {
  stepDone(number: number, step: { party: Party; title: string }, result: StepResult, ms: number): void
}

/** Runs the steps in order; the first that is not confirmed ends the story with its name. */
export async function runSteps<Context>(
  steps: readonly Step<Context>[],
  context: Context,
  teller: StoryTeller,
): Promise<void> {
  for (const [index, step] of steps.entries()) {
    const started = performance.now()
    let result: StepResult
    try {
      result = await step.run(context)
    } catch (cause) {
      const { message, fix } = cause as { message: string; fix?: string }
      throw new CliError(
        'STEP_FAILED',
        `Step ${index + 1} (${step.party}: ${step.title}) failed: ${message}`,
        fix ?? '',
        1,
        cause,
      )
    }
    teller.stepDone(index + 1, step, result, performance.now() - started)
  }
}
