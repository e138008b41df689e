/** A push that was sent, or could not be, its status and its reason. */
type Rejected = readonly [what: string, command: string, status: number, reason: string]

/** The service, or nobody, answers: that is the result of the command. */
export const rejectedPushes: readonly Rejected[] = [
  ['unknown token', `push $data $sandbox --token ${'ab'.repeat(32)} --alert a $key`, 400, 'BadDeviceToken'],
  ['token that is none', 'push $data $sandbox --token hello --alert a $key', 400, 'BadDeviceToken'],
  ['payload too large', 'push $data $sandbox $token --payload @large.json $key', 413, 'PayloadTooLarge'],
  [
    'unknown topic',
    'push $data --environment sandbox --topic com.nobody $token --alert a $key',
    400,
    'TopicDisallowed',
  ],
  [
    'key id of nobody',
    'push $data $sandbox $token --alert a --key $keyFile --key-id ZZZZZZZZZZ --team-id $team',
    403,
    'InvalidProviderToken',
  ],
  [
    'token of the other environment',
    'push $data --environment production --topic com.example.app $token --alert a $key',
    400,
    'BadDeviceToken',
  ],
  ['system was killed', 'push --data @killed $sandbox $token --alert a $key', 0, 'ConnectFailed'],
  ['nobody listens', 'push --connect 127.0.0.1:1 $sandbox $token --alert a $key', 0, 'ConnectFailed'],
  ['server of another CA', 'push --connect $gateway $sandbox $token --alert a $key', 0, 'ConnectFailed'],
]
