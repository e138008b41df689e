import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SystemError } from '@carillon/system'
import type { StartOptions } from '../commands/start.ts'
import type { Output } from '../output.ts'
import { untilStopped } from '../until-stopped.ts'
import { absenceSteps } from './absence-steps.ts'
import { bundleId, environment, StoryContext } from './context.ts'
import { deliverySteps } from './delivery-steps.ts'
import { portalSteps } from './portal-steps.ts'
import { storyLogger, storyPrinter } from './print-story.ts'
import { runSteps } from './step.ts'

const steps = [...portalSteps, ...deliverySteps, ...absenceSteps]

/** Runs the whole system and tells how a first push goes through it: once, or with the system staying up. */
export function tellStory(options: StartOptions, output: Output): Promise<void> {
  return options.once ? once(output) : stayUp(options, output)
}

async function once(output: Output): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'carillon-'))
  const context = new StoryContext(dataDir, 'auto')
  const interrupted = untilStopped().then(() => process.exit(1))
  try {
    await Promise.race([runSteps(steps, context, tellerFor(output)), interrupted])
    output.result({ event: 'done', steps: steps.length }, `\nAll ${steps.length} steps were confirmed.`)
  } finally {
    await context.close()
    await rm(dataDir, { recursive: true, force: true })
  }
}

async function stayUp(options: StartOptions, output: Output): Promise<void> {
  const stopped = untilStopped()
  const context = await told(options, output)
  try {
    // The phone is put away, so that the reader can pick it up with `carillon device run`.
    await context.closeDevice()
    output.result(context.system.endpoints, whatNext(context))
    await stopped
  } finally {
    await context.close()
  }
}

/** Tells the story on the well-known ports, or on any free ones where another program has those. */
async function told(options: StartOptions, output: Output): Promise<StoryContext> {
  const context = new StoryContext(options.data, options.ports)
  try {
    await runSteps(steps, context, tellerFor(output))
    return context
  } catch (error) {
    await context.close()
    const cause = (error as Error).cause
    if (options.ports === 'auto' || !(cause instanceof SystemError && cause.code === 'PORT_TAKEN'))
      throw error
    process.stderr.write(`${cause.message} Using free ports instead.\n`)
    return told({ ...options, ports: 'auto' }, output)
  }
}

function tellerFor(output: Output) {
  return output.json ? storyLogger(process.stdout) : storyPrinter(process.stdout)
}

function whatNext({ system, files, key, dataDir }: StoryContext): string {
  const { portal, provider, environments } = system.endpoints
  const { http2, courier } = environments[environment]
  return `
Carillon stays up. Ctrl-C ends it.
  portal API    ${portal.url}
  provider API  ${provider.url}
  sandbox       HTTP/2 ${http2.host}:${http2.port}, courier ${courier.host}:${courier.port}

Try next, in another terminal:
  npx carillon device run --data ${dataDir} --state ${files.phone} --profile ${files.profile} --app ${bundleId}
  npx carillon push --data ${dataDir} --environment ${environment} --topic ${bundleId} --token TOKEN --alert "Hello" \\
    --key ${files.folder}/AuthKey_${key.keyId}.p8 --key-id ${key.keyId} --team-id ${key.teamId}
  npx carillon trace TOKEN --data ${dataDir}
  npx carillon portal app create --data ${dataDir} --bundle-id com.example.mine --name "Mine"
(TOKEN is the device token that the first command prints.)`
}
