import { alert, PushClient } from '@carillon/apns'

const client = new PushClient({
  auth: { type: 'token', keyFile: 'AuthKey_ABC123DEFG.p8', teamId: 'DEF123GHIJ' },
  environment: 'sandbox', // 'production' for apps from TestFlight and the App Store
})
const hello = alert({ bundleId: 'com.example.app', title: 'Hello', body: 'from my own server' })
const result = await client.send({ deviceToken: process.argv[2] ?? '', ...hello })
console.log(result.ok ? `accepted as ${result.apnsId}` : `${result.reason}: ${result.hint}`)
