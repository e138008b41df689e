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
  /** The same before the client knows our SETTINGS: what nghttp2 and Go assume. Streams above it are refused. */
  streamsBeforeSettings: 100,
  /** Bytes of a request body, the largest payload of any push type; above it the answer is PayloadTooLarge. */
  requestBodyBytesMax: 5120,
  /**
   * Provider connections that have not shown who they are, by a certificate or a provider token. One more takes the
   * place of the one that came first where that has had its time, else it is closed itself.
   */
  unprovenProvidersMax: 1000,
  /** The time that each of them has in any case. */
  unprovenProviderMsMin: 10_000,
  /** Bytes of unfinished requests, headers included, of all of them; above it the request is reset. */
  unprovenProvidersBytesMax: 32 * 1024 * 1024,
  /** Bytes of answers that wait for one of them; above it the connection is cut, as a reader that is too slow. */
  unprovenOutputBytesMax: 512 * 1024,
  /** Of these, bytes that wait in the socket: above it nothing more is read. */
  unprovenOutputBytesPause: 64 * 1024,
  /** Idle time of each of them; then GOAWAY with IdleTimeout. */
  unprovenIdleMsMax: 2 * 60 * 1000,
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
  /**
   * Apps on devices of which memory knows what waits for them (some 100 bytes each), so that it is replaced without a
   * look at the disk; above it all are forgotten, and looked at once more.
   */
  onlyWaitingKnownMax: 131_072,
  /** Stored notifications read for a device at once; the next page is read when these were sent. */
  storedPageRowsMax: 64,
  /** Notifications sent to a device and not acknowledged; further ones wait in the store, by the inbox rule. */
  unackedPerSessionMax: 1000,
  /** Payload bytes sent to a device and not acknowledged; further ones wait in the store, by the inbox rule. */
  unackedBytesPerSessionMax: 1024 * 1024,
  /**
   * Payload bytes of all devices that were sent and not acknowledged, or wait behind a flush of the store; further
   * ones wait in the store, by the inbox rule. Each device may have one at a time all the same.
   */
  unackedBytesMax: 256 * 1024 * 1024,
  /** Time in which a device that owes acknowledgements sends none; then its session is ended. */
  unackedMsMax: 5 * 60 * 1000,
  /** The longest time between two looks at a steady clock that counts as time; more is a clock that was set. */
  steadyStepMsMax: 5000,
  /** Apps on devices whose hourly budgets are remembered; above it the one used longest ago has a whole one again. */
  powerBudgetsMax: 100_000,
  /** Notifications that wait in memory behind a flush of the store; further ones wait in the store. */
  behindFlushMax: 256,
  /** How long a notification that is sent now or never waits there; then it is dropped. */
  onceBehindFlushMsMax: 10_000,
  /**
   * Rounds of ten milliseconds that sent notifications wait for a store that takes no more; then their providers
   * are told to come again, for the database may have broken for good.
   */
  refusedRoundsMax: 300,
  /** Rounds that a sent notification waits for its acknowledgement, in full, before it is written. */
  ackGraceRoundsMax: 5,
  /** What that comes to: a device that takes longer is slow, and its next notifications are written at once. */
  ackGraceMsMax: 60,
  /** Acknowledged notifications gathered until something else is written; then they are deleted at once. */
  removalsGatheredMax: 512,
  /**
   * Acknowledged notifications that are not deleted yet because the database does not keep up; above it they
   * stay stored, are sent once more and recognised by the device.
   */
  removalsWaitingMax: 200_000,
  /**
   * Sent notifications that could not be taken out of the inbox rule's reach yet because the database takes no
   * writes; above it the rule may replace them.
   */
  protectionsWaitingMax: 100_000,
  /** Ticks of a second without a finished commit while writes wait; then new notifications are refused as busy. */
  ticksWithoutCommitMax: 10,
  /** Stored notifications looked at by one sweep for expired ones; the next sweep goes on from there. */
  sweptPerTickMax: 2000,

  // channels
  /** Channels of all apps together; then CannotCreateChannelConfig, as for the 10,000 of one app. */
  channelsMax: 500_000,
  /** Deleted channels that are remembered as such; those deleted longest ago become ids that never existed. */
  deletedChannelsMax: 1_000_000,
  /** Broadcasts of one channel that are not on disk or not handed out yet; then TooManyRequests. */
  broadcastsPerChannelMax: 500,
  /** The same for all channels together; then ServiceUnavailable. */
  broadcastsMax: 5000,
  /** Devices that are handed a broadcast in one turn of the event loop; the others have to wait for the next. */
  subscribersPerTurnMax: 128,
  /** Stored broadcasts kept in memory; above it the less recently used half is read again from disk. */
  storedBroadcastsCachedMax: 1024,
  /** Channels that one device listens to; further ones are refused with the status of those that do not exist. */
  channelsPerDeviceMax: 500,
  /** How far the last message that a device says it has may lie ahead of our clock; then it counts as none. */
  cursorAheadMsMax: 5 * 60 * 1000,

  // courier
  /** Connections of one courier; further ones are closed before their handshake. */
  courierConnectionsMax: 100_000,
  /** TLS handshakes that a process begins in a second unless told otherwise: half of a processor. More wait. */
  handshakesPerSecondDefault: 400,
  /** How long a connection waits for its handshake; where the line is longer, newcomers are closed at once. */
  handshakeWaitMsMax: 5000,
  /**
   * Connections whose device has not proven who it is; one more takes the place of the one that came first where
   * that has had its time, so that a crowd of silent ones keeps no device out, and is closed where it has not, so
   * that of many devices that come back at once those that came first get through.
   */
  unprovenConnectionsMax: 10_000,
  /** The time that each of them has in any case. */
  unprovenMsMin: 10_000,
  /** From the turn of a connection to the proof of its device, whatever it waits for; then it is cut. */
  unprovenMsMax: 60_000,
  /** Time for the first byte of a connection whose turn has come, and as much for its TLS handshake; then it is closed. */
  courierHandshakeMsMax: 20_000,
  /** Time from the end of the handshake to a good `connect`; then the connection is closed. */
  preAuthMsMax: 20_000,
  /** Bytes received before the device is known; above it the connection is closed. */
  preAuthBytesMax: 32 * 1024,
  /** Bytes of one WebSocket message from a device, several frames at most; above it the connection is closed. */
  webSocketMessageBytesMax: 256 * 1024,
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
  /** Time for a silent device to answer when it is asked for a keep-alive; then it is dropped. */
  keepAliveAnswerMsMax: 30 * 1000,
  /** How long after another notification those of opportunistic topics may follow. */
  opportunisticMsMax: 5000,
  /** Notifications that a device may name as dealt with when it returns; the rest of a longer list is not read. */
  handledNamedMax: 256,
  /** The longest time over which devices that are sent away are asked to spread their return. */
  retrySpreadMsMax: 5 * 60 * 1000,
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

  // trace and metrics
  /** Bytes of a block of the journal, about 1600 records; a full one is handed to the disk. */
  traceBlockBytes: 128 * 1024,
  /** Blocks in memory; while all wait for the disk, records are dropped and counted. */
  traceBlocksMax: 32,
  /** Bytes of a file of the journal; a longer one is finished and the next begun. */
  traceSegmentBytesMax: 8 * 1024 * 1024,
  /** Combinations of app, topic, push type and reason kept ready; above it the table begins anew. */
  traceSubjectsMax: 4096,
  /** Characters of the topic of a rejected push; a longer one is not recorded. */
  tracedTextLengthMax: 255,
  /** Rejected pushes that are recorded in a second; further ones are only counted. */
  rejectedTracedPerSecondMax: 1000,
  /** Searches of the journal at a time; further ones are told to come again. */
  traceSearchesMax: 8,
  /** How far a reader of the live stream may be behind; then it is told of a gap and goes on at the end. */
  traceBehindBytesMax: 16 * 1024 * 1024,
  /** Different numbers that are counted (app, push type, priority, what); above it apps are counted together. */
  metricCellsMax: 20_000,
  /** Numbers that wait for a database which does not take them; the oldest are given up above it. */
  metricsUnwrittenMax: 40_000,
  /** How long the numbers of an hour are kept; then they are deleted. */
  metricsKeptMsMax: 30 * 24 * 60 * 60 * 1000,

  // admin
  /** Connections to the admin API; further ones are closed before their handshake. */
  adminConnectionsMax: 256,
  /** Bytes of a request body; a longer one is refused. */
  adminBodyBytesMax: 256 * 1024,
  /** Event streams at a time; one more is told to come again. */
  adminStreamsMax: 64,
  /** Time for requests to be answered when the service stops; then their connections are cut. */
  adminDrainMsMax: 2000,

  // legacy and feedback
  /** Connections of each of the two ports; further ones are closed before their handshake. */
  legacyConnectionsMax: 10_000,
  /** Time for a client without a good certificate to begin HTTP/2, where it did not by ALPN; then it is closed. */
  refusedClientMsMax: 1000,
  /** Notifications of one connection that are read and not settled; above it nothing more is read from its socket. */
  binaryInFlightMax: 256,
  /** Time for which a connection waits where delivery takes nothing; then it ends with status 10. */
  binaryHeldMsMax: 10_000,
  /** Time for a client to close after our error packet, so that no reset destroys it; then the socket is cut. */
  legacyLingerMsMax: 30_000,
  /** Time for connections to end when the service stops; then they are cut. */
  legacyDrainMsMax: 5000,
  /** How long a feedback client must be silent to be one: those of HTTP/2 begin at once. */
  feedbackSilentMs: 300,
  /** Tuples read from the database and written to a socket at once; the next ones when the socket has taken them. */
  feedbackPageRowsMax: 500,
  /** Time without progress of a feedback client that does not read, or does not close; then it is cut. */
  feedbackStalledMsMax: 60_000,
  /** Tuples cleared in one commit; the rest in the next ones. */
  feedbackClearedRowsMax: 5000,

  // faults
  /** Fault rules in force; one more is refused. Each of them is asked about each request. */
  faultRulesMax: 100,
  /** Longest delay that a fault may put before an answer; more is refused. */
  faultDelayMsMax: 60 * 60 * 1000,
  /** How long a half-open connection is held, whose end nobody would notice; then it is cut. */
  faultHalfOpenMsMax: 60 * 60 * 1000,
} as const
