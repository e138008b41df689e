/** The two separate push worlds. A device token, a certificate and a channel belong to exactly one of them. */
export type Environment = 'sandbox' | 'production'

/** Both environments, in the order in which they are listed to people. */
export const environments = ['sandbox', 'production'] as const satisfies readonly Environment[]

/** The value of the `aps-environment` entitlement in a provisioning profile. */
export type ApsEnvironment = 'development' | 'production'

/** True for 'sandbox' and 'production', spelled exactly so. */
export function isEnvironment(text: unknown): text is Environment {
  return text === 'sandbox' || text === 'production'
}

/**
 * Apple: "APS Environment Entitlement": an app signed for development is served by the sandbox.
 * Returns undefined for a value that Apple does not define, so that a profile without push is told apart.
 */
export function environmentOfApsEnvironment(value: unknown): Environment | undefined {
  if (value === 'development') return 'sandbox'
  return value === 'production' ? 'production' : undefined
}

/** The `aps-environment` entitlement that makes an app register in this environment. */
export function apsEnvironmentOf(environment: Environment): ApsEnvironment {
  return environment === 'sandbox' ? 'development' : 'production'
}
