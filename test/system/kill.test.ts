import { readFileSync } from 'node:fs'
import type { Endpoints } from '@carillon/system'
import { afterEach, describe, expect, test } from 'vitest'
import { type JsonLine, Place, type Run } from './run-carillon.ts'
import { bundleId, startApp, startDevice } from './running-app.ts'

let place: Place
afterEach(() => place.close())

/** The provider's API; a request that fails because the system was killed is told apart from an answer. */
class Provider {
  readonly #endpoints: Endpoints

  constructor(endpoints: Endpoints) {
    this.#endpoints = endpoints
  }

  async call(
    method: string,
    path: string,
    body?: object,
  ): Promise<{ status: number; body: JsonLine } | undefined> {
    const { url, apiKeyFile } = this.#endpoints.provider
    const authorization = `Bearer ${readFileSync(apiKeyFile, 'utf8').trim()}`
    try {
      const response = await fetch(`${url}${path}`, {
        method,
        headers: { authorization, 'content-type': 'application/json' },
        ...(body ? { body: JSON.stringify(body) } : {}),
      })
      return { status: response.status, body: (await response.json()) as JsonLine }
    } catch {
      return undefined // killed before the whole answer was here: nothing was promised
    }
  }
}

describe('kill -9 of the whole system', () => {
  // After each step that leaves something: the portal's work, the running system, the token, pushes.
  test.each([2, 5, 9, 11, 13])(
    'after step %i of the story, everything is there at the next start',
    async (step) => {
      place = new Place()
      const story = place.startCarillon('start', '--data', place.data, '--ports', 'auto', '--json')
      await story.event('step', (line) => line.step === step)
      story.child.kill('SIGKILL')
      await story.ended
      const told = story.lines

      // The portal's directory, right after the kill and without a system.
      const apps = await place.lines('portal', 'app', 'list', '--data', place.data)
      expect(apps.map((app) => app.bundleId)).toEqual(['dev.carillon.example'])

      const { endpoints } = await place.up()
      const provider = new Provider(endpoints)
      for (const line of told) {
        const token = line.step === 10 ? line.detail : undefined
        const message = /^message (\S+)/.exec(line.detail ?? '')?.[1]
        if (message) expect((await provider.call('GET', `/v1/messages/${message}`))?.status).toBe(200)
        if (token && step >= 11)
          expect((await provider.call('GET', `/v1/devices/${token}`))?.status).toBe(200)
      }
      if (step < 9) return
      // The phone comes back with the same identity and, where it had one, the same token.
      const story2 = [
        '--state',
        place.path('data/story/phone'),
        '--profile',
        place.path('data/story/example.mobileprovision'),
      ]
      const phone = place.startCarillon(
        'device',
        'run',
        '--data',
        place.data,
        ...story2,
        '--app',
        'dev.carillon.example',
        '--json',
      )
      const { deviceToken } = await phone.event('registered')
      const before = told.find((line) => line.step === 10)?.detail
      if (before) expect(deviceToken).toBe(before)
    },
  )

  test.each([1, 60, 140])(
    'after %i accepted messages, each of them is shown exactly once',
    async (killAfter) => {
      place = new Place()
      const { up, device, deviceToken, profile, key } = await startApp(place, 'sandbox', ['--inbox', '1000'])
      const provider = new Provider(up.endpoints)
      const credentials = { type: 'token', keyId: key.keyId, teamId: key.teamId, privateKeyPem: key.pem }
      const environments = { sandbox: { credentials, connect: 'local' } }
      await provider.call('POST', '/v1/apps', { bundleId, environments })
      await provider.call('PUT', `/v1/devices/${deviceToken}`, { bundleId, environment: 'sandbox' })

      const accepted: string[] = []
      const kill = () => {
        for (const run of [up.run, device]) run.child.kill('SIGKILL')
      }
      await Promise.all(
        Array.from({ length: 150 }, async (_, number) => {
          const message = { token: deviceToken, notification: { title: `Message ${number}` } }
          const answer = await provider.call('POST', '/v1/messages', { message })
          if (answer?.status !== 202) return
          accepted.push(answer.body.id)
          if (accepted.length === killAfter) kill()
        }),
      )
      await Promise.all([up.run.ended, device.ended])
      expect(accepted.length).toBeGreaterThanOrEqual(killAfter)

      const { endpoints } = await place.up()
      const again = new Provider(endpoints)
      const phone = startDevice(place, profile)
      const wanted = new Set<string>()
      for (const id of accepted) {
        const status = await again.call('GET', `/v1/messages/${id}`)
        expect(status?.status).toBe(200)
        for (const recipient of status?.body.recipients ?? []) wanted.add(recipient.apnsId)
      }
      await phone.waitFor('all accepted messages', () => {
        const shown = new Set(shownBy(device, phone))
        return [...wanted].every((apnsId) => shown.has(apnsId)) ? true : undefined
      })
      const shown = shownBy(device, phone)
      expect(shown.length).toBe(new Set(shown).size)
    },
  )
})

function shownBy(...runs: Run[]): string[] {
  return runs.flatMap((run) =>
    run.lines.filter(({ event }) => event === 'notification').map(({ apnsId }) => apnsId),
  )
}
