import { expect, test } from 'vitest'
import { systemLines } from '../src/system-lines.ts'

const host = '127.0.0.1'
const production = {
  http2: { host, port: 2197 },
  binary: { host, port: 2195 },
  feedback: { host, port: 2196 },
  courier: { host, port: 5223 },
  courierWebSocket: { url: 'wss://127.0.0.1:2198/' },
  admin: { url: 'https://127.0.0.1:2193' },
}
// What need not run.
const sandbox = {
  http2: { host, port: 12_197 },
  binary: null,
  feedback: null,
  courier: { host, port: 15_223 },
  courierWebSocket: { url: null },
  admin: { url: null },
}
const endpoints = {
  event: 'ready',
  dataDir: '/data',
  caFile: '/data/root.pem',
  adminKeyFile: '/data/admin.key',
  portal: { url: 'https://127.0.0.1:2190', enrolmentKeyFile: '/data/enrolment.key' },
  provider: { url: 'http://127.0.0.1:2191', apiKeyFile: '/data/provider.key' },
  console: { url: null },
  environments: { sandbox, production },
} as const

test('every port is named beside those who connect to it', () => {
  expect(systemLines(endpoints, 20_000)).toEqual([
    'Carillon is up (data in /data)',
    '  portal      https://127.0.0.1:2190',
    '  provider    http://127.0.0.1:2191',
    '  sandbox     providers  HTTP/2 127.0.0.1:12197',
    '              devices    courier 127.0.0.1:15223',
    '  production  providers  HTTP/2 127.0.0.1:2197, binary 2195, feedback 2196',
    '              devices    courier 127.0.0.1:5223, WebSocket wss://127.0.0.1:2198/',
    '              admin API  https://127.0.0.1:2193',
    '  root CA     /data/root.pem',
    '  room for about 19,800 connections: 20,000 open files are allowed (ulimit -n)',
    'Ctrl-C ends it.',
  ])
})

test('where the limit of open files is not known, or there is none, nothing is said of it', () => {
  for (const openFilesMax of [undefined, Number.POSITIVE_INFINITY])
    expect(systemLines(endpoints, openFilesMax).join()).not.toContain('open files')
})
