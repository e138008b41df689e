/** Everything in the portal that could grow, and what happens at the limit. */
export const limits = {
  /** Held in memory for the path of a push. One more is refused with `APP_LIMIT`. */
  appsMax: 10_000,
  /** One more is refused with `KEY_LIMIT`. Apple allows 2 of the whole team for each environment. */
  keysMax: 1_000,
  /** Apple: "at most 400 topics per key". More are refused with `REQUEST_INVALID`. */
  topicsPerKeyMax: 400,
  /** Push certificates ever issued, held in memory. One more is refused with `CERTIFICATE_LIMIT`. */
  certificatesMax: 20_000,
  /** Kept in the database only. One more is refused with `DEVICE_LIMIT`. */
  devicesMax: 1_000_000,
  /** Disabled devices are held in memory. One more is refused with `DEVICE_LIMIT`. */
  devicesDisabledMax: 200_000,
  /** Provisioning profiles kept. One more is refused with `PROFILE_LIMIT`. */
  profilesMax: 100_000,
  /** Devices named in one profile. More are refused with `REQUEST_INVALID`. */
  devicesPerProfileMax: 10_000,
  /** Longer bundle ids are refused with `BUNDLE_ID_INVALID` (App Store Connect stops at 155 as well). */
  bundleIdCharactersMax: 155,
  /** Longer names are refused with `NAME_INVALID`. */
  nameCharactersMax: 200,
  /** The team's name goes into certificates, where RFC 5280 ends an organization at 64 (`NAME_INVALID`). */
  teamNameCharactersMax: 64,
  /** Longer requests are refused with `CSR_INVALID` before they are parsed. */
  csrCharactersMax: 32_768,
  /** Smaller RSA keys are refused with `CSR_INVALID`. */
  rsaBitsMin: 2048,
  /** Larger RSA keys are refused with `CSR_INVALID`: checking them costs too much. */
  rsaBitsMax: 8192,
  /** Names in one server certificate. More are refused with `REQUEST_INVALID`. */
  namesPerServerCertificateMax: 100,
  /** A revocation list is handed out for this long, then a new one is signed; a revocation asks for one at once. */
  revocationListKeptMs: 3_600_000,
  /** Longer request bodies are answered with 413. */
  requestBytesMax: 1_048_576,
  /** A client call that got no answer for this long fails with `UNREACHABLE`. */
  clientTimeoutMs: 30_000,
  /** Longer answers fail with `UNREACHABLE`. */
  answerBytesMax: 268_435_456,
  /** A notification inbox set longer than this is refused with `REQUEST_INVALID`. It is what the push service keeps. */
  inboxMax: 1000,
} as const
