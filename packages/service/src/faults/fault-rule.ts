import { ErrorCode } from '@carillon/http2'
import { knownReasonOf } from '@carillon/wire'
import { z } from 'zod'
import { limits } from '../limits.ts'
import { addressText } from './address-text.ts'
import { faultIssues } from './fault-issues.ts'
import { faultPlaces } from './fault-kinds.ts'

const whole = (least: number, most = Number.MAX_SAFE_INTEGER) =>
  z
    .number()
    .int()
    .min(least)
    .max(most)
    .meta({ description: `whole number from ${least}` })

/** Milliseconds since the epoch; also taken as text in the form of ISO 8601. */
const moment = z
  .union([z.number().min(0), z.iso.datetime({ offset: true }).transform((text) => Date.parse(text))])
  .meta({ description: 'milliseconds since the epoch, or ISO 8601' })

const id = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'give up to 64 letters, digits, dots, hyphens and underscores')

/**
 * What a rule looks at. All that is given must hold. `app`, `topic`, `token`, `teamId` and `keyId` are told by
 * requests; a rule without any of them and of a kind that concerns connections looks at connections.
 */
export const faultMatch = z.strictObject({
  /** Bundle id: every topic of the app. */
  app: z.string().min(1).optional(),
  topic: z.string().min(1).optional(),
  /** Team and key of the provider token; a connection with a push certificate has neither. */
  teamId: z.string().length(10).optional(),
  keyId: z.string().length(10).optional(),
  /** Device token, hex. */
  token: z
    .string()
    .regex(/^[0-9a-fA-F]+$/, 'give the device token in hex')
    .transform((text) => text.toLowerCase())
    .optional(),
  /** The connection with this number on the listener, counted from 1 from the moment that the rule was set. */
  connection: whole(1).optional(),
  /** IP address of the client. */
  clientAddress: z.union([z.ipv4(), z.ipv6()]).transform(addressText).optional(),
  /** Of all that matches, this share meets the fault, drawn from the generator of the rule. */
  probability: z.number().min(0).max(1).optional(),
  /** So many pass first. */
  after: whole(0).optional(),
  /** Then every n-th meets the fault. */
  every: whole(1).optional(),
  /** At most so many meet it. */
  times: whole(1).optional(),
  /** `after` and `every` count on each connection for itself. */
  perConnection: z.boolean().optional(),
  from: moment.optional(),
  until: moment.optional(),
})

const when = z.enum(['beforeAccepting', 'afterAccepting']).default('beforeAccepting')
const codes = Object.keys(ErrorCode) as [keyof typeof ErrorCode]
const bytesPerSecond = whole(1)
const delay = whole(0, limits.faultDelayMsMax)
const reason = z
  .string()
  .refine((text) => knownReasonOf(text) !== undefined, 'give a reason of docs/protocols/provider-api.md')

/** The trouble itself, told by `kind`. */
const fault = z.discriminatedUnion('kind', [
  /** GOAWAY that names the last request served; what comes after it is not processed. */
  z.strictObject({
    kind: z.literal('goaway'),
    code: z.enum(codes).default('NO_ERROR'),
    /** Debug data `{"reason":…}`; none where absent. */
    reason: reason.optional(),
    /** False: the connection is cut at once, and requests under way are not answered. */
    finishes: z.boolean().default(true),
  }),
  /** The connection is cut without a word. */
  z.strictObject({ kind: z.literal('close'), when }),
  /** Answers (or, on other ports than HTTP/2, all that is sent) leave later: `ms`, or between `ms` and `msMax`. */
  z.strictObject({ kind: z.literal('latency'), ms: delay, msMax: delay.optional() }),
  /** Nothing is read or written any more, and nobody says so. */
  z.strictObject({ kind: z.literal('halfOpen'), when }),
  z.strictObject({ kind: z.literal('slowReader'), bytesPerSecond }),
  z.strictObject({ kind: z.literal('slowWriter'), bytesPerSecond }),
  /** An answer of the service's own choosing, instead of processing the request. */
  z.strictObject({
    kind: z.literal('answer'),
    reason: z.string().min(1).optional(),
    /** Where it differs from that of the reason. */
    status: whole(200, 599).optional(),
    /** Value of `retry-after`: seconds, or the text of an HTTP date. */
    retryAfter: z.union([whole(0), z.string().regex(/^[ -~]+$/, 'give seconds, or an HTTP date')]).optional(),
    /** `timestamp` of a 410: milliseconds since the epoch, or ISO 8601. */
    timestamp: moment.optional(),
    /** Sent as it is, in place of JSON with the reason: what a proxy on the way might say. */
    body: z.string().max(4096).optional(),
  }),
  /** New connections are shown this certificate, or an expired one that the system made. */
  z.strictObject({
    kind: z.literal('expiredCertificate'),
    certPem: z.string().min(1).optional(),
    keyPem: z.string().min(1).optional(),
  }),
  /** The service believes that it is so many seconds later (earlier: negative) when it looks at a provider token. */
  z.strictObject({
    kind: z.literal('clockSkew'),
    seconds: z.number().int().min(-31_536_000).max(31_536_000),
  }),
  /** From that moment on the device token is not valid any more. */
  z.strictObject({ kind: z.literal('tokenInvalid'), at: moment }),
  /** RST_STREAM; REFUSED_STREAM promises that nothing was processed. */
  z.strictObject({ kind: z.literal('resetStream'), code: z.enum(codes).default('REFUSED_STREAM'), when }),
  /** SETTINGS of new connections. */
  z.strictObject({
    kind: z.literal('settings'),
    initialWindowSize: whole(0, 0x7fffffff).optional(),
    maxConcurrentStreams: whole(0, 100_000).optional(),
    headerTableSize: whole(0, 65_536).optional(),
    maxHeaderListSize: whole(0, 0xffffffff).optional(),
  }),
  z.strictObject({ kind: z.literal('pingUnanswered') }),
])

/** One rule of a plan. */
export const faultRule = z
  .strictObject({
    id,
    where: z.enum(faultPlaces).default('http2'),
    match: faultMatch.default({}),
    fault,
  })
  .superRefine((rule, context) => {
    for (const { path, message } of faultIssues(rule)) context.addIssue({ code: 'custom', path, message })
  })

/** Rules, in the order in which they are asked, and the seed of everything that is drawn. */
export const faultPlan = z
  .strictObject({
    seed: z.number().int().default(1),
    rules: z.array(faultRule).max(limits.faultRulesMax).default([]),
  })
  .superRefine(({ rules }, context) => {
    rules.forEach((rule, index) => {
      if (rules.findIndex((other) => other.id === rule.id) < index)
        context.addIssue({
          code: 'custom',
          path: ['rules', index, 'id'],
          message: 'another rule has this id',
        })
    })
  })

export type Fault = z.output<typeof fault>
export type FaultRule = z.output<typeof faultRule>
/** As users write them: everything with a default may be left out. */
export type FaultRuleInput = z.input<typeof faultRule>
export type FaultPlanInput = z.input<typeof faultPlan>
