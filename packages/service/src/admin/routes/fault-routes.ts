import { createRoute, z } from '@hono/zod-openapi'
import { FaultError, type FaultErrorCode } from '../../faults/fault-error.ts'
import { faultPlan, faultRule } from '../../faults/fault-rule.ts'
import type { FaultControl } from '../../faults/faults.ts'
import { AdminError, type AdminErrorCode } from '../admin-error.ts'
import type { AdminRoutes } from '../api.ts'
import { json, problems } from '../problems.ts'

const counters = z.object({
  seen: z.int().openapi({ description: 'Requests or connections that had all that the rule asks for' }),
  hits: z.int().openapi({ description: 'Those of them that met the fault' }),
  lastHitMs: z.number().optional().openapi({ description: 'Milliseconds since the epoch' }),
})
const statusSchema = z
  .object({
    id: z.string(),
    where: z.string(),
    match: z.any().openapi({ type: 'object' }),
    fault: z.any().openapi({ type: 'object' }),
    counters,
  })
  .openapi('Fault', { description: 'A rule with all its defaults, and its counters' })
const listSchema = z.object({ seed: z.int(), rules: z.array(statusSchema) }).openapi('Faults')
const params = z.object({ id: z.string() })

const path = '/v1/faults'
const onePath = '/v1/faults/{id}'
const listed = { description: 'The rules in force, in order', content: json(listSchema) }
const told = { description: 'The rule', content: json(statusSchema) }
const gone = { description: 'Done' }

const listRoute = createRoute({
  method: 'get',
  path,
  summary: 'List the fault rules',
  responses: { 200: listed, ...problems(401) },
})

const setRoute = createRoute({
  method: 'put',
  path,
  summary: 'Replace all fault rules and the seed; counters start anew',
  request: { body: { required: true, content: json(faultPlan) } },
  responses: { 200: listed, ...problems(400, 401) },
})

const addRoute = createRoute({
  method: 'post',
  path,
  summary: 'Add a fault rule behind the others',
  request: { body: { required: true, content: json(faultRule) } },
  responses: { 201: told, ...problems(400, 401, 409) },
})

const clearRoute = createRoute({
  method: 'delete',
  path,
  summary: 'Remove all fault rules',
  responses: { 204: gone, ...problems(401) },
})

const getRoute = createRoute({
  method: 'get',
  path: onePath,
  summary: 'A fault rule and how often it was met',
  request: { params },
  responses: { 200: told, ...problems(401, 404) },
})

const removeRoute = createRoute({
  method: 'delete',
  path: onePath,
  summary: 'Remove a fault rule',
  request: { params },
  responses: { 204: gone, ...problems(401, 404) },
})

/** Trouble on purpose: rules are set, looked at and cleared while the service runs. */
export function faultRoutes(faults: FaultControl): AdminRoutes {
  return (api) => {
    api.openapi(listRoute, (context) => context.json({ seed: faults.seed, rules: faults.list() }, 200))
    api.openapi(setRoute, (context) => {
      const rules = attempt(() => faults.set(context.req.valid('json')))
      return context.json({ seed: faults.seed, rules }, 200)
    })
    api.openapi(addRoute, (context) => {
      const rule = attempt(() => faults.add(context.req.valid('json')))
      return context.json(rule, 201)
    })
    api.openapi(clearRoute, (context) => {
      faults.clear()
      return context.body(null, 204)
    })
    api.openapi(getRoute, (context) => {
      const { id } = context.req.valid('param')
      return context.json(
        attempt(() => faults.get(id)),
        200,
      )
    })
    api.openapi(removeRoute, (context) => {
      const { id } = context.req.valid('param')
      attempt(() => faults.remove(id))
      return context.body(null, 204)
    })
  }
}

const codes: Record<FaultErrorCode, AdminErrorCode> = {
  FAULT_INVALID: 'INVALID_REQUEST',
  FAULT_UNKNOWN: 'NOT_FOUND',
  FAULT_EXISTS: 'CONFLICT',
  FAULT_LIMIT: 'CONFLICT',
}

function attempt<T>(act: () => T): T {
  try {
    return act()
  } catch (cause) {
    if (!(cause instanceof FaultError)) throw cause
    throw new AdminError(codes[cause.code], `${cause.message} ${cause.fix}`, { cause })
  }
}
