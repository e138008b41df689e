import { generateKeyPairSync } from 'node:crypto'

export const apiKey = 'key-of-the-back-end'
export const bundleId = 'com.example.app'
export const token = 'ab'.repeat(32)
export const privateKeyPem = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  .privateKey.export({ type: 'pkcs8', format: 'pem' })
  .toString()
export const credentials = {
  type: 'token',
  keyId: 'ABCDE12345',
  teamId: 'TEAM123456',
  privateKeyPem,
} as const
