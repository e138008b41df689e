import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { jsonLines, Place } from '../run-carillon.ts'
import { bundleId } from '../running-app.ts'

test('what portal commands did while nothing ran is there when the system runs, and the other way round', async () => {
  const place = new Place()
  try {
    const create = (id: string) =>
      place.line('portal', 'app', 'create', '--data', place.data, '--bundle-id', id, '--name', 'Any')
    const list = async () =>
      (await place.lines('portal', 'app', 'list', '--data', place.data)).map((app) => app.bundleId).sort()
    await create('com.example.before')
    const { run } = await place.up()
    expect(await list()).toEqual(['com.example.before'])
    await create('com.example.during')
    expect(await run.end()).toMatchObject({ code: 0, stderr: '' })
    expect(await list()).toEqual(['com.example.before', 'com.example.during'])
  } finally {
    await place.close()
  }
})

test('after kill -9 the endpoints.json that stayed is not in the way of portal commands and of up', async () => {
  const place = new Place()
  try {
    const { run, endpoints } = await place.up()
    await run.end('SIGKILL')
    const stale = place.path('data', 'endpoints.json')
    expect(JSON.parse(await readFile(stale, 'utf8'))).toEqual(endpoints)
    const made = ['--data', place.data, '--bundle-id', bundleId, '--name', 'Any']
    await place.line('portal', 'app', 'create', ...made)
    const again = await place.up()
    expect(jsonLines(again.run.stdout)).toEqual([JSON.parse(await readFile(stale, 'utf8'))])
    const apps = await place.lines('portal', 'app', 'list', '--data', place.data)
    expect(apps.map((app) => app.bundleId)).toEqual([bundleId])
  } finally {
    await place.close()
  }
})
