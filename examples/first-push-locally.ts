import { alert } from '@carillon/apns'
import { startTestService } from '@carillon/testing'

const service = await startTestService({ bundleId: 'com.example.app' }) // portal, push service and a phone, no Apple
const { client, device } = service
const hello = alert({ bundleId: 'com.example.app', title: 'Hello', body: 'from my own server' })
const result = await client.send({ deviceToken: device.deviceToken, ...hello })
console.log(result.outcome, result.apnsId)
const { shown } = await device.nextNotification()
console.log(`the phone shows: ${shown.title}, ${shown.body}`)
await service.close()
