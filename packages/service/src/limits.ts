/** Every bound of the push service, with what happens when it is reached. Sections by folder. */
export const limits = {
  // gateway
  /** Characters of a provider token; longer ones are InvalidProviderToken without a look inside. */
  providerTokenLengthMax: 2048,
  /** Apple: "Establishing a token-based connection to APNs": older tokens are ExpiredProviderToken. */
  providerTokenAgeMsMax: 60 * 60 * 1000,
  /** How far a provider's clock may be ahead; a later `iat` is InvalidProviderToken. */
  providerTokenAheadMsMax: 60 * 60 * 1000,
  /** Verified provider tokens that are remembered; above it the oldest half is forgotten and verified anew. */
  providerTokensCachedMax: 4096,
  /**
   * Signatures that one connection may have verified in one second (each blocks the process for about 100 µs);
   * further unknown tokens of that second are answered TooManyProviderTokenUpdates.
   */
  tokenVerificationsPerSecondMax: 16,
  /** Requests at a time on one provider connection; further streams are refused (REFUSED_STREAM), to be retried. */
  streamsPerConnectionMax: 1000,
  /** The same before the first valid provider token, unless `streamsBeforeToken` says otherwise. */
  streamsBeforeTokenDefault: 100,
  /** The same before the client knows our SETTINGS: what nghttp2 and Go assume. Streams above it are refused. */
  streamsBeforeSettings: 100,
  /** Bytes of a request body, the largest payload of any push type; above it the answer is PayloadTooLarge. */
  requestBodyBytesMax: 5120,
  /** Provider connections at a time; further ones are closed before their handshake. */
  providerConnectionsMax: 10_000,
  /** Milliseconds for a provider's TLS handshake; then the connection is closed. */
  providerHandshakeMsMax: 10_000,

  // registry
  /** Tokens kept in memory (64 bytes each); above it the less recently used half is read again from disk. */
  tokensCachedMax: 1_600_000,
  /** Token look-ups that wait for the database; above it the gateway answers ServiceUnavailable. */
  tokenReadsWaitingMax: 10_000,

  // store and delivery
  /** Longest life of a stored notification, whatever its expiration. Apple: "Sending notification requests to APNs" */
  storedLifeSecondsMax: 30 * 24 * 60 * 60,
  /** Largest queue per device and app; an App ID that is set to more gets this. */
  inboxPerAppMax: 1000,
  /** Stored notifications read for a device at once; the next page is read when these were sent. */
  storedPageRowsMax: 64,
  /** Notifications sent to a device and not acknowledged; further ones wait in the store, by the inbox rule. */
  unackedPerSessionMax: 1000,
  /** Payload bytes sent to a device and not acknowledged; further ones wait in the store, by the inbox rule. */
  unackedBytesPerSessionMax: 1024 * 1024,
  /** Notifications that wait in memory behind a flush of the store; further ones wait in the store. */
  behindFlushMax: 256,
  /** How long a notification that is sent now or never waits there; then it is dropped. */
  onceBehindFlushMsMax: 10_000,
  /**
   * Rounds of a few milliseconds that sent notifications wait for a store that takes no more; then their providers
   * are told to come again, for the database may have broken for good.
   */
  refusedRoundsMax: 1000,
  /** Acknowledged notifications gathered until something else is written; then they are deleted at once. */
  removalsGatheredMax: 512,
  /**
   * Acknowledged notifications that are not deleted yet because the database does not keep up; above it they
   * stay stored, are sent once more and recognised by the device.
   */
  removalsWaitingMax: 200_000,
  /** Stored notifications looked at by one sweep for expired ones; the next sweep goes on from there. */
  sweptPerTickMax: 2000,

  // courier
  /** Connections of one courier; further ones are closed before their handshake. */
  courierConnectionsMax: 100_000,
  /**
   * Connections whose device has not proven who it is; one more takes the place of the one that came first where
   * that has had its time, so that a crowd of silent ones keeps no device out, and is closed where it has not, so
   * that of many devices that come back at once those that came first get through.
   */
  unprovenConnectionsMax: 10_000,
  /** The time that each of them has in any case. */
  unprovenMsMin: 10_000,
  /** Time for a TLS handshake; then the connection is closed. */
  courierHandshakeMsMax: 20_000,
  /** Time from the end of the handshake to a good `connect`; then the connection is closed. */
  preAuthMsMax: 20_000,
  /** Bytes received before the device is known; above it the connection is closed. */
  preAuthBytesMax: 32 * 1024,
  /** How far the time in a nonce may be from ours, either way; beyond it the device is told our time. */
  nonceAgeMsMax: 5 * 60 * 1000,
  /** Nonces remembered against reuse; above it the older half is forgotten early. */
  noncesRememberedMax: 500_000,
  /** Certificates in one `connect`; more are refused. */
  connectCertificatesMax: 8,
  /** Time without a byte from a device that named no keep-alive interval; then it is dropped. */
  silentMsMax: 45 * 60 * 1000,
  /** Shortest time without a byte, whatever interval the device named. */
  silentMsMin: 90 * 1000,
  /** Longest delay that a device may ask for its keep-alive reply; a longer one is cut to this. */
  keepAliveDelayMsMax: 30 * 60 * 1000,
  /** Messages in a minute of one device, acknowledgements apart; one more closes the connection. */
  requestsPerMinuteMax: 6000,
  /** Time for the last frames to leave a connection that is being closed; then it is cut. */
  courierLingerMsMax: 10_000,
  /** App token requests of one device that wait for the registry; one more closes the connection. */
  tokenRequestsWaitingMax: 256,
  /** Padding in the reply to a flush; a larger wish is cut to this. */
  flushPaddingBytesMax: 4096,
  /** Bytes that wait for a device that does not read; above it the connection is closed. */
  courierUnsentBytesMax: 4 * 1024 * 1024,
  /** Topic hashes kept ready; above it the least recently used half is computed again. */
  topicHashesCachedMax: 10_000,
} as const
