import { Option } from 'commander'
import { command } from '../command.ts'

export interface StartOptions {
  data: string
  once?: boolean
  ports: 'default' | 'auto'
}

export const startCommand = command<StartOptions>(
  'start',
  'Run the whole system and send a first push through all five parties; then stay up.',
  'carillon start --once',
  async (options, output) => {
    const { tellStory } = await import('../story/tell-story.ts')
    await tellStory(options, output)
  },
)
  .option('--data <dir>', 'data directory; made on first use', '.carillon')
  .option('--once', 'on a throw-away data directory; exit 0 when every step was confirmed')
  .addOption(
    new Option('--ports <choice>', 'well-known ports, or any free ones')
      .choices(['default', 'auto'])
      .default('default'),
  )
