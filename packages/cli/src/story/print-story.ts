import type { Party, StepResult, StoryTeller } from './step.ts'

// One colour for each party; plain text where there is no terminal, or where NO_COLOR is set (no-color.org).
const colours: Record<Party, number> = { portal: 35, provider: 34, service: 36, device: 32, app: 33 }

/** Prints the story for a person: one line a step, and pictures of what the device shows. */
export function storyPrinter(stream: NodeJS.WriteStream): StoryTeller {
  const coloured = stream.isTTY === true && !process.env.NO_COLOR
  const paint = (code: number, text: string) => (coloured ? `\u001b[${code}m${text}\u001b[0m` : text)
  return {
    stepDone(number, { party, title }, result: StepResult, ms) {
      const head = `${String(number).padStart(2)}  ${paint(colours[party], party.padEnd(8))}  ${title}`
      stream.write(`${head} ${paint(2, `(${durationOf(ms)})`)}\n`)
      for (const line of result.detail.split('\n')) stream.write(`              ${paint(2, line)}\n`)
      for (const line of result.picture ?? []) stream.write(`              ${paint(1, line)}\n`)
    },
  }
}

/** The same as JSON lines. */
export function storyLogger(stream: NodeJS.WriteStream): StoryTeller {
  return {
    stepDone(step, { party, title }, { detail }, ms) {
      stream.write(`${JSON.stringify({ event: 'step', step, party, title, detail, ms: Math.round(ms) })}\n`)
    },
  }
}

function durationOf(ms: number): string {
  return ms < 1000 ? `${Math.max(1, Math.round(ms))} ms` : `${(ms / 1000).toFixed(1)} s`
}
