import { defaultPorts, type ServicePorts } from '@carillon/wire'

/** One port for every listener of a system; 0: chosen by the operating system. */
export interface SystemPorts {
  readonly portal: number
  readonly provider: number
  readonly sandbox: ServicePorts
  readonly production: ServicePorts
}

/** `default`: Apple's numbers for production, the same plus 10000 for the sandbox. `auto`: any free ones. */
export type PortChoice = 'default' | 'auto'

export function portsFor(choice: PortChoice): SystemPorts {
  if (choice === 'auto') {
    const any: ServicePorts = { http2: 0, binary: 0, feedback: 0, courier: 0, courierWebSocket: 0, admin: 0 }
    return { portal: 0, provider: 0, sandbox: any, production: any }
  }
  // The two HTTP APIs stand beside Apple's 2195 to 2197.
  return { portal: 2190, provider: 2191, sandbox: defaultPorts.sandbox, production: defaultPorts.production }
}
