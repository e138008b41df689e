import {
  binaryOptionsDefault,
  faultPlanSchema,
  fidelityDefaults,
  keepAliveDefaults,
  powerDefaults,
  serviceLimits,
  traceDefaults,
} from '@carillon/service'
import { z } from 'zod'
import { orWord, section, setting } from './setting.ts'

const count = z.int().min(0)
const some = z.int().min(1)

const power = section(
  'How long what can wait is held for a device that reports its power; devices that report nothing are taken as awake. `power: ignore` holds nothing.',
  {
    groupMs: setting(
      count,
      powerDefaults.groupMs,
      'How long priority 5 waits, on battery with the screen off.',
    ),
    lowPowerGroupMs: setting(count, powerDefaults.lowPowerGroupMs, 'The same in low power mode.'),
    lowestMs: setting(
      count,
      powerDefaults.lowestMs,
      'How long priority 1 waits, on battery with the screen off.',
    ),
    lowPowerLowestMs: setting(count, powerDefaults.lowPowerLowestMs, 'The same in low power mode.'),
    backgroundPushesPerHour: setting(
      count,
      powerDefaults.backgroundPushesPerHour,
      'Background pushes that one app gets on one device in an hour; of further ones only the newest is kept.',
    ),
    liveActivityUpdatesPerHour: setting(
      count,
      powerDefaults.liveActivityUpdatesPerHour,
      'Live Activity updates of priority 10 for one app and device in an hour; further ones count as priority 5.',
    ),
    frequentLiveActivityUpdatesPerHour: setting(
      count,
      powerDefaults.frequentLiveActivityUpdatesPerHour,
      'The same for the apps of frequentUpdateApps.',
    ),
    frequentUpdateApps: setting(
      z.array(z.string().min(1)),
      powerDefaults.frequentUpdateApps,
      'Bundle ids of apps that may update their activities often.',
    ),
  },
)

/** The push service, for both environments or for one. Ranges that need more than a type are checked by the service. */
export const serviceSection = {
  fidelity: section(
    'How closely the provider API follows Apple where documents, service and convenience differ; docs/fidelity.md has a row for each.',
    {
      streamsBeforeToken: setting(
        some,
        fidelityDefaults.streamsBeforeToken,
        'Streams at a time of a connection without certificate until its first valid provider token.',
      ),
      oneStreamAfterRejection: setting(
        z.boolean(),
        fidelityDefaults.oneStreamAfterRejection,
        'After a 4xx other than 410 one stream at a time, until the next success.',
      ),
      wedgedAfterExpiredToken: setting(
        z.boolean(),
        fidelityDefaults.wedgedAfterExpiredToken,
        'After ExpiredProviderToken the connection answers nothing else any more.',
      ),
      unregisteredDelaySecondsMin: setting(
        count,
        fidelityDefaults.unregisteredDelaySecondsMin,
        'A token that became inactive is answered 200 for at least so many seconds before it is answered 410 …',
      ),
      unregisteredDelaySecondsMax: setting(
        count,
        fidelityDefaults.unregisteredDelaySecondsMax,
        '… and for at most so many; each token has a time of its own between the two.',
      ),
      reasonSpellings: setting(
        z.enum(['observed', 'documented']),
        fidelityDefaults.reasonSpellings,
        'Which spelling of a reason is sent where the documents and the service differ.',
      ),
      wrongEnvironmentCertificate: setting(
        z.enum(['answer', 'goaway']),
        fidelityDefaults.wrongEnvironmentCertificate,
        'A certificate of the other environment: 403 for each request, or GOAWAY right after the handshake.',
      ),
      refusesUrgentBackground: setting(
        z.boolean(),
        fidelityDefaults.refusesUrgentBackground,
        'A background push with priority 10 is answered BadPriority.',
      ),
      goawayAfterBadTokens: setting(
        count,
        fidelityDefaults.goawayAfterBadTokens,
        'GOAWAY after so many answers BadDeviceToken on one connection; 0: never.',
      ),
      retryAfterSeconds: setting(
        count,
        fidelityDefaults.retryAfterSeconds,
        'retry-after of the answers 429 and 503; 0: without the header.',
      ),
      tokenUpdateMinutesMin: setting(
        count,
        fidelityDefaults.tokenUpdateMinutesMin,
        'Provider tokens may be renewed once in so many minutes, else TooManyProviderTokenUpdates; 0: at any time.',
      ),
      tokenUpdateScope: setting(
        z.enum(['connection', 'key']),
        fidelityDefaults.tokenUpdateScope,
        'Whether renewals count for each connection alone, or for all that use the key.',
      ),
      requestsPerTokenPerMinuteMax: setting(
        count,
        fidelityDefaults.requestsPerTokenPerMinuteMax,
        'Requests to one device token in a minute; further ones are answered TooManyRequests. 0: any number.',
      ),
      tokenLifeDays: setting(
        count,
        fidelityDefaults.tokenLifeDays,
        'Days after which a device token expires that its app has not asked for; 0: never.',
      ),
      idleMinutesMax: setting(
        some,
        fidelityDefaults.idleMinutesMax,
        'Minutes without a frame and without a request; then GOAWAY with IdleTimeout.',
      ),
      requestSecondsMax: setting(
        some,
        fidelityDefaults.requestSecondsMax,
        'Seconds that a request may take to arrive whole; then it is answered IdleTimeout.',
      ),
      unknownChannelDeletion: setting(
        z.enum(['BadPath', 'ChannelNotRegistered']),
        fidelityDefaults.unknownChannelDeletion,
        'How deleting a channel that does not exist is answered.',
      ),
      checksBroadcastEvent: setting(
        z.boolean(),
        fidelityDefaults.checksBroadcastEvent,
        'A broadcast whose aps.event is neither update nor end is refused.',
      ),
    },
  ),
  binary: section('The original protocol, on the ports binary and feedback.', {
    unframedPayloadBytesMax: setting(
      z.union([z.literal(256), z.literal(2048)]),
      binaryOptionsDefault.unframedPayloadBytesMax,
      'Payload limit of commands 0 and 1: 256 as before iOS 8, or 2048 as after.',
    ),
    missingExpiration: setting(
      z.enum(['once', 'stored']),
      binaryOptionsDefault.missingExpiration,
      'What a command 2 without expiration means: one attempt, or stored for as long as may be.',
    ),
  }),
  power: orWord('ignore', power),
  keepAlive: section('Seconds between two signs of life of an idle device; devices are told.', {
    keepAliveSecondsMin: setting(some, keepAliveDefaults.keepAliveSecondsMin, 'At least.'),
    keepAliveSeconds: setting(some, keepAliveDefaults.keepAliveSeconds, 'What a device begins with.'),
    keepAliveSecondsMax: setting(some, keepAliveDefaults.keepAliveSecondsMax, 'At most.'),
  }),
  admission: section('How fast devices are let in, over both environments of this process.', {
    handshakesPerSecond: setting(
      some,
      serviceLimits.handshakesPerSecondDefault,
      'TLS handshakes begun in a second. Each costs about 1.3 ms of the processor.',
    ),
    handshakeWaitMsMax: setting(
      some,
      serviceLimits.handshakeWaitMsMax,
      'How long a connection may wait for its handshake; where the line is longer, the newcomer is closed.',
    ),
    unprovenConnectionsMax: setting(
      some,
      serviceLimits.unprovenConnectionsMax,
      'Connections whose device has not proven who it is.',
    ),
  }),
  trace: section('What became of each notification, for the admin API and `carillon trace`.', {
    enabled: setting(
      z.boolean(),
      traceDefaults.enabled,
      'Whether notifications are traced. Metrics are counted all the same.',
    ),
    keepDays: setting(some, traceDefaults.keepDays, 'How long.'),
    bytesMax: setting(
      z.int().min(1),
      traceDefaults.bytesMax,
      'Bytes of the journal in each environment; the oldest part goes first.',
    ),
  }),
  faults: setting(
    faultPlanSchema,
    { seed: 1, rules: [] },
    'Trouble on purpose from the start, see docs/faults.md.',
  ),
  acceptsRsaSha1: setting(
    z.boolean(),
    true,
    'Whether devices may sign with RSA and SHA-1, as foreign clients do.',
  ),
}
