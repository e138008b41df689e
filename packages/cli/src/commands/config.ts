import { command, group } from '../command.ts'

const print = command<object>(
  'print',
  'Print the complete configuration with its comments: every setting with what holds without it.',
  'carillon config print > carillon.yaml',
  async (_options, output) => {
    const { printConfiguration } = await import('@carillon/system')
    const text = printConfiguration()
    output.result({ configuration: text }, text.trimEnd())
  },
)

const check = command<{ config: string }>(
  'check',
  'Check a configuration file without starting anything.',
  'carillon config check --config carillon.yaml',
  async ({ config }, output) => {
    const { readConfiguration } = await import('@carillon/system')
    await readConfiguration(config)
    output.result({ ok: true, file: config }, `${config} can be used.`)
  },
).requiredOption('--config <file>', 'the file')

export const configCommand = group(
  'config',
  'The configuration file: print its reference, check one.',
  'carillon config print > carillon.yaml',
  [print, check],
)
